/** @file What viewers may say and take, and how those are sent away that say or take more. */
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Monitor } from '../../monitor/index.js';
import { LONGEST_MESSAGE, viewerMessageFrom } from '../../monitor/protocol.js';
import { metricAt, metrics, start, TestViewer, view } from './helpers.js';

/** With what a connection is closed. */
async function closing(viewer: TestViewer): Promise<[number, string]> {
  const [code, reason] = (await once(viewer.socket, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

const seen = async (monitor: Monitor, query: string): Promise<[number, string]> =>
  closing(await view(monitor, query));

describe('a viewer', () => {
  it('of another version is sent away with those that are spoken', async () => {
    const monitor = await start();
    for (const version of ['2', '0', 'one', '', '1.5'])
      expect(await seen(monitor, `?version=${version}`)).toEqual([
        4426,
        'MONITOR_VERSION: this monitor speaks version 1 and no other',
      ]);
    const spoken = await view(monitor, '?version=1');
    await spoken.untilLive();
  });

  it.each([
    'every=loss',
    'every=loss:',
    'every=loss:-1',
    'every=:3',
    'every=loss:1.5',
    'every=é:x',
    `every=${'x'.repeat(101)}:1`,
  ])('that asks for what is nothing is told so: %s', async (query) => {
    const monitor = await start();
    const [code, reason] = await seen(monitor, `?${query}`);
    expect([code, reason.slice(0, 22)]).toEqual([4400, 'MONITOR_QUERY: every: ']);
  });

  it('that is one too many is sent away, and the others stay', async () => {
    const monitor = await start({ limits: { viewers: 2 } });
    const viewers = [await view(monitor), await view(monitor)];
    expect(await seen(monitor, '')).toEqual([1013, 'MONITOR_FULL: 2 viewers watch already']);
    viewers[0]!.close();
    const health = async (): Promise<unknown> => (await fetch(new URL('/healthz', monitor.url))).json();
    await expect.poll(health).toMatchObject({ viewers: 1 });
    await (await view(monitor)).untilLive();
    monitor.publish(metricAt(0));
    await viewers[1]!.until(() => viewers[1]!.metrics.length === 1);
  });

  it('that never stops talking is sent away, and what it said last is not done', async () => {
    let done = 0;
    const monitor = await start({ limits: { messagesPerSecond: 1 }, onCommand: () => void (done += 1) });
    const viewer = await view(monitor);
    const closed = closing(viewer);
    for (let id = 0; id < 1000; id++) viewer.say({ type: 'command', id: String(id), command: 'pause' });
    expect(await closed).toEqual([4429, 'MONITOR_RATE: more than 1 messages a second']);
    expect(done).toBe(2);
    await (await view(monitor)).untilLive();
  });
});

describe('a viewer that never stops pinging', () => {
  it('is sent away like one that never stops talking', async () => {
    const monitor = await start({ limits: { messagesPerSecond: 1 } });
    const viewer = await view(monitor);
    const closed = closing(viewer);
    for (let at = 0; at < 1000; at++) viewer.socket.ping();
    expect(await closed).toEqual([4429, 'MONITOR_RATE: more than 1 messages a second']);
  });
});

describe('whatever a viewer says', () => {
  const nearly = fc.record(
    {
      type: fc.constantFrom('command', 'subscribe', 'hello', 1),
      id: fc.oneof(fc.string(), fc.constant('x'.repeat(65)), fc.integer()),
      command: fc.constantFrom('pause', 'explode', null),
      kinds: fc.oneof(
        fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.record({ every: fc.double() }))),
        fc.constant(JSON.parse('{"__proto__":{"every":1}}') as object),
      ),
      more: fc.anything(),
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    nearly.map((value) => JSON.stringify(value)),
  );

  it('is understood, or refused with the reason', () => {
    fc.assert(
      fc.property(text, (said) => {
        const message = viewerMessageFrom(said);
        if ('error' in message) expect(message.error).not.toBe('');
        else expect(viewerMessageFrom(JSON.stringify(message))).toEqual(message);
      }),
    );
  });

  it('is answered once, with a code where it is refused, and the monitor goes on', async () => {
    const monitor = await start({ history: metrics(3), limits: { messagesPerSecond: 1e6 } });
    const viewer = await view(monitor);
    await viewer.untilLive();
    const answers = () => viewer.messages.filter(({ type }) => type === 'reply' || type === 'error');
    let said = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(text, fc.uint8Array()).filter((each) => Buffer.byteLength(each) <= LONGEST_MESSAGE),
        async (message) => {
          viewer.socket.send(message);
          said += 1;
          await viewer.until(() => answers().length >= said);
          expect(answers()).toHaveLength(said);
          const answer = answers().at(-1)!;
          if (answer.type === 'error') expect(answer.code).toBe('MONITOR_MESSAGE');
        },
      ),
      { numRuns: 200 },
    );
    monitor.publish(metricAt(3));
    viewer.say({ type: 'subscribe', id: 'last', kinds: {} });
    expect(await viewer.reply('last')).toMatchObject({ ok: true });
  });

  it('in a text that is no UTF-8 ends its connection with 1007, and no other', async () => {
    const monitor = await start();
    const [wrong, other] = [await view(monitor), await view(monitor)];
    const closed = closing(wrong);
    wrong.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect((await closed)[0]).toBe(1007);
    await other.untilLive();
  });
});
