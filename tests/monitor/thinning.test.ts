/** @file Who asks for less gets less, and the newest of what it wants all the same. Time, socket and stalls are the test's. */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { updateOf } from '../../monitor/bundle.js';
import { History } from '../../monitor/history.js';
import { Outbox } from '../../monitor/outbox.js';
import { Past } from '../../monitor/past.js';
import type { Kinds } from '../../monitor/protocol.js';
import { Subscriber } from '../../monitor/subscriber.js';
import { SETTLE_MILLISECONDS, Thinning } from '../../monitor/thinning.js';
import { messagesIn } from './frames.js';
import { messageIn, metricAt, metrics, start, view, type MetricMessage } from './helpers.js';

const BACKLOG = { high: 500, limit: 1e9 };

/** A socket that takes nothing while it is stalled. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  stalled = false;
  bufferedAmount = 0;
  written: MetricMessage[] = [];

  get writableNeedDrain(): boolean {
    return this.bufferedAmount > BACKLOG.high;
  }

  write(bytes: Buffer): void {
    if (this.stalled) this.bufferedAmount += bytes.length;
    const messages = messagesIn(bytes).map((message) => messageIn(JSON.stringify(message)));
    this.written.push(...messages.filter((message) => message.type === 'metric'));
  }

  go(): void {
    this.stalled = false;
    if (this.bufferedAmount === 0) return;
    this.bufferedAmount = 0;
    this.emit('drain');
  }

  leave(): void {
    this.readyState = 3;
    this.emit('close');
  }
}

const KINDS = ['attack', 'defend', 'evaluate'] as const;

/** A monitor without a server, and one viewer of it. */
class Watched {
  readonly history = new History(8);
  readonly past = new Past(this.history);
  readonly outbox = new Outbox(
    (bundle) => this.viewer.deliver(bundle),
    () => 1,
  );
  socket = new FakeSocket();
  viewer: Subscriber;
  kinds: Kinds;
  /** All that came, over all connections. */
  readonly received: MetricMessage[] = [];
  #next = 0;

  constructor(kinds: Kinds) {
    this.kinds = kinds;
    this.viewer = this.#connected(-1);
  }

  publish(kind: string, run: string): void {
    const metric = metricAt(this.#next++, { kind, run });
    this.history.add(metric);
    this.outbox.add(metric);
  }

  subscribe(kinds: Kinds): void {
    this.#collect();
    this.kinds = kinds;
    this.viewer.subscribe(kinds);
  }

  comeBack(): void {
    this.#collect();
    this.socket.leave();
    this.socket = new FakeSocket();
    this.viewer = this.#connected(Math.max(-1, ...this.received.map(({ sequence }) => sequence)));
  }

  finish(): void {
    this.socket.go();
    vi.advanceTimersByTime(1000);
    this.socket.go();
    vi.advanceTimersByTime(2 * SETTLE_MILLISECONDS);
    this.#collect();
  }

  /** What came since the last time is of wanted kinds, in sequence within each series. */
  #collect(): void {
    const newest = new Map<string, number>();
    for (const { run, kind, sequence } of this.socket.written) {
      expect(wanted(this.kinds, kind)).toBe(true);
      expect(sequence).toBeGreaterThanOrEqual(newest.get(`${run} ${kind}`) ?? -1);
      newest.set(`${run} ${kind}`, sequence);
    }
    this.received.push(...this.socket.written.splice(0));
  }

  #connected(after: number): Subscriber {
    const { socket } = this;
    const wanted = { after, kinds: this.kinds };
    return new Subscriber(
      socket as unknown as WebSocket,
      socket as unknown as Duplex,
      this.past,
      wanted,
      BACKLOG,
    );
  }
}

const wanted = (kinds: Kinds, kind: string): boolean => {
  const rule = kinds[kind] ?? kinds['*'];
  return !(rule && 'every' in rule && rule.every === 0);
};

const rule = fc.oneof(
  fc.record({ every: fc.nat({ max: 5 }) }),
  fc.record({ perSecond: fc.constantFrom(0.5, 2, 100) }),
);
const rules: fc.Arbitrary<Kinds> = fc.dictionary(fc.constantFrom(...KINDS, '*'), rule);

type Move = (watched: Watched) => void;
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...KINDS), fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 12 }), fc.nat(9))
      .map(([kind, run, count, millis]): Move => (watched) => {
        for (let each = 0; each < count; each++) watched.publish(kind, run);
        vi.advanceTimersByTime(millis);
      }),
  },
  fc.nat({ max: 3000 }).map(
    (millis): Move =>
      () =>
        void vi.advanceTimersByTime(millis),
  ),
  fc.constant<Move>(({ socket }) => (socket.stalled = true)),
  fc.constant<Move>(({ socket }) => socket.go()),
  fc.constant<Move>((watched) => watched.comeBack()),
  fc.constant<Move>(({ viewer }) => viewer.settle()),
  rules.map(
    (kinds): Move =>
      (watched) =>
        watched.subscribe(kinds),
  ),
);

describe('a viewer that asks for less', () => {
  beforeEach(
    () => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] }),
  );
  afterEach(() => void vi.useRealTimers());

  it('has the newest of every series that it wants, in sequence, whatever it wants and however it stalls', () => {
    fc.assert(
      fc.property(rules, fc.array(move, { maxLength: 40 }), (kinds, moves) => {
        const watched = new Watched(kinds);
        for (const each of moves) each(watched);
        watched.finish();
        for (const { run, kind, sequence } of watched.history.newest()) {
          if (!wanted(watched.kinds, kind)) continue;
          const last = watched.received.findLast((each) => each.run === run && each.kind === kind);
          expect(last?.sequence, `${run} ${kind}`).toBe(sequence);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('gets at once all that it is owed when nothing may come behind it', () => {
    const watched = new Watched({ defend: { every: 100 } });
    vi.advanceTimersByTime(10);
    for (let count = 0; count < 30; count++) watched.publish('defend', 'a');
    watched.socket.stalled = true;
    watched.outbox.flush();
    watched.viewer.finish();
    expect(watched.socket.written.map(({ sequence }) => sequence)).toEqual([0, 29]);
  });
});

describe('Thinning', () => {
  const updates = (count: number) => metrics(count).map(updateOf);

  it('lets every n-th of a series pass, and holds back nothing but the newest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(50), (every, count) => {
        const thinning = new Thinning({ defend: { every } }, () => 0);
        const passed = thinning.sift(updates(count)).map(({ sequence }) => sequence);
        expect(passed).toEqual(
          updates(count)
            .map((_, at) => at)
            .filter((at) => at % every === 0),
        );
        const held = count > 0 && (count - 1) % every !== 0 ? [count - 1] : [];
        expect(thinning.release().map(({ sequence }) => sequence)).toEqual(held);
        expect(thinning.release()).toEqual([]);
      }),
    );
  });

  it('lets no more pass in a second than were asked for, and what is held back when it may', () => {
    let now = 0;
    const thinning = new Thinning({ '*': { perSecond: 4 } }, () => now);
    let passed = 0;
    for (const update of updates(1000)) {
      passed += thinning.sift([update]).length + thinning.due().length;
      now += 10;
    }
    expect(passed).toBeGreaterThanOrEqual(38);
    expect(passed).toBeLessThanOrEqual(41);
    expect(thinning.wait).toBeLessThanOrEqual(250);
    now += 250;
    expect(thinning.due().map(({ sequence }) => sequence)).toEqual([999]);
    expect(thinning.wait).toBeUndefined();
  });
});

describe('over a socket', () => {
  it('thins what its address names from the history on, and what it asks for later from then on', async () => {
    const monitor = await start({ history: metrics(20) });
    const viewer = await view(monitor, '?version=1&every=defend:10');
    await viewer.untilLive();
    expect(viewer.metrics.map(({ sequence }) => sequence)).toEqual([0, 10]);
    await viewer.until(() => viewer.metrics.length === 3);
    expect(viewer.metrics.at(-1)?.sequence).toBe(19);
    viewer.say({ type: 'subscribe', id: 'none', kinds: { '*': { every: 0 }, attack: { every: 1 } } });
    expect(await viewer.reply('none')).toEqual({ type: 'reply', id: 'none', ok: true });
    monitor.publish(metricAt(20));
    monitor.publish(metricAt(21, { kind: 'attack' }));
    await viewer.until(() => viewer.metrics.length === 4);
    viewer.say({ type: 'subscribe', id: 'all', kinds: {} });
    await viewer.reply('all');
    monitor.publish(metricAt(22));
    await viewer.until(() => viewer.metrics.some(({ sequence }) => sequence === 22));
    expect(viewer.metrics.slice(3, -1).map(({ sequence }) => sequence)).toEqual([21, 20]);
  });
});
