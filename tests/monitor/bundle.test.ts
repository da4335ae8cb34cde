import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Bundle, updateOf } from '../../monitor/bundle.js';
import { History } from '../../monitor/history.js';
import { Past } from '../../monitor/past.js';
import type { Metric } from '../../streams/index.js';
import type { MetricMessage } from './helpers.js';
import { metricAt, metrics } from './helpers.js';
import { messagesIn } from './frames.js';

const sequencesIn = (bytes: readonly Buffer[]): number[] =>
  (messagesIn(Buffer.concat(bytes)) as MetricMessage[]).map(({ sequence }) => sequence);

describe('Bundle', () => {
  const sequences = fc
    .uniqueArray(fc.nat(500), { minLength: 1, maxLength: 40 })
    .map((numbers) => numbers.sort((a, b) => a - b));

  it('in pieces of any size gives what is newer than a number, each once and whole', () => {
    fc.assert(
      fc.property(sequences, fc.integer({ min: -1, max: 501 }), fc.nat(2000), (numbers, after, most) => {
        const bundle = new Bundle(numbers.map((number) => updateOf(metricAt(number))));
        const pieces: Buffer[] = [];
        let at = after;
        for (let piece = bundle.after(at, most); piece; piece = bundle.after(at, most)) {
          const seen = sequencesIn([piece.bytes]);
          expect(piece.bytes.length <= most || seen.length === 1).toBe(true);
          expect(seen.at(-1)).toBe(piece.last);
          pieces.push(piece.bytes);
          at = piece.last;
        }
        expect(sequencesIn(pieces)).toEqual(numbers.filter((number) => number > after));
        expect([...bundle.updates(after)].map(({ sequence }) => sequence)).toEqual(sequencesIn(pieces));
      }),
    );
  });

  it('frames texts of any length as RFC 6455 has them', () => {
    const bulky = [0, 125, 126, 65_400, 65_535, 65_536, 200_000].map((length, at) =>
      metricAt(at, { kind: 'é'.repeat(length) }),
    );
    const piece = new Bundle(bulky.map(updateOf)).after(-1);
    expect(messagesIn(piece!.bytes)).toEqual(bulky.map((metric) => ({ type: 'metric', ...metric })));
  });
});

describe('Past', () => {
  it('gives readers that come and go at any time all of a history that grows, in sequence', () => {
    const reader = fc.record({
      after: fc.integer({ min: -1, max: 700 }),
      at: fc.nat(700),
      most: fc.nat(9000),
    });
    fc.assert(
      fc.property(fc.array(reader, { minLength: 1, maxLength: 5 }), fc.nat(400), (wanted, first) => {
        const history = new History();
        const past = new Past(history);
        metrics(first).forEach((metric) => history.add(metric));
        const reading: { from: number; most: number; pieces: Buffer[]; is: ReturnType<Past['reader']> }[] =
          [];
        for (let sequence = first; sequence < 700; sequence++) {
          history.add(metricAt(sequence));
          for (const { after, at, most } of wanted)
            if (at === sequence) reading.push({ from: after, most, pieces: [], is: past.reader(after) });
          for (const { is, most, pieces } of reading) {
            const piece = is.next(most);
            if (piece) pieces.push(piece.bytes);
          }
        }
        for (const { from, is, pieces } of reading) {
          for (let piece = is.next(500); piece; piece = is.next(500)) pieces.push(piece.bytes);
          is.end();
          expect(sequencesIn(pieces)).toEqual(history.after(from).map(({ sequence }) => sequence));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is made ready once for visitors that come again and again, and some time after the last is forgotten', () => {
    vi.useFakeTimers();
    try {
      let readied = 0;
      const values = { toJSON: () => ((readied += 1), { loss: 1 }) } as unknown as Metric['values'];
      const history = new History();
      const past = new Past(history);
      const visit = (): void => {
        const reader = past.reader(-1);
        const pieces: Buffer[] = [];
        for (let piece = reader.next(5000); piece; piece = reader.next(5000)) pieces.push(piece.bytes);
        reader.end();
        expect(sequencesIn(pieces)).toEqual(history.after(-1).map(({ sequence }) => sequence));
      };
      for (let sequence = 0; sequence < 1000; sequence++) {
        history.add({ ...metricAt(sequence), values });
        if (sequence >= 900) visit();
      }
      expect(readied).toBe(1000);
      vi.advanceTimersByTime(60_000);
      visit();
      expect(readied).toBe(2000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds no more than twice what a history of many steps still has', () => {
    const history = new History(50);
    const past = new Past(history);
    const reader = past.reader(-1);
    let most = 0;
    for (let sequence = 0; sequence < 5000; sequence++) {
      history.add(metricAt(sequence));
      let held = 0;
      for (let found = past.bundleAfter(-1); found; found = past.bundleAfter(found.bundle.last))
        held += found.bundle.length;
      most = Math.max(most, held);
    }
    reader.end();
    expect(most).toBeGreaterThan(50);
    expect(most).toBeLessThan(2 * 101 + 2);
  });
});
