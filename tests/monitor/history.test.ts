import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History } from '../../monitor/history.js';
import { metricAt, metrics } from './helpers.js';

describe('History', () => {
  it('keeps everything while a series is short', () => {
    const history = new History(10);
    for (const metric of metrics(10)) history.add(metric);
    expect(history.after(-1)).toEqual(metrics(10));
    expect(history.after(6)).toEqual(metrics(10).slice(7));
    expect(history.next).toBe(10);
  });

  it('stays within its limit for each series, in sequence, with first and newest, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('attack', 'defend', 'evaluate'), { maxLength: 400 }),
        fc.integer({ min: 2, max: 20 }),
        (kinds, limit) => {
          const history = new History(limit);
          const all = kinds.map((kind, sequence) => metricAt(sequence, { kind }));
          for (const metric of all) history.add(metric);
          const kept = history.after(-1);
          expect(kept.map(({ sequence }) => sequence)).toEqual(
            [...new Set(kept.map(({ sequence }) => sequence))].sort((a, b) => a - b),
          );
          for (const kind of new Set(kinds)) {
            const [of, from] = [kept, all].map((list) => list.filter((metric) => metric.kind === kind));
            expect(of!.length).toBeLessThanOrEqual(limit + 1);
            expect(of![0]).toBe(from![0]);
            expect(of!.at(-1)).toBe(from!.at(-1));
            if (from!.length <= limit) expect(of).toEqual(from);
            else expect(of!.length).toBeGreaterThanOrEqual(limit / 2);
          }
        },
      ),
    );
  });

  it('thins out evenly: no gap is more than twice another', () => {
    const history = new History(16);
    for (const metric of metrics(1000)) history.add(metric);
    const steps = history.after(-1).map(({ step }) => step);
    const gaps = steps.slice(1, -1).map((step, at) => step - steps[at]!);
    expect(Math.max(...gaps)).toBe(Math.min(...gaps));
  });

  it('does not let a chatty series push a rare one out', () => {
    const history = new History(8);
    history.add(metricAt(0, { kind: 'evaluate' }));
    for (let sequence = 1; sequence < 5000; sequence++) history.add(metricAt(sequence));
    expect(history.after(-1)[0]).toEqual(metricAt(0, { kind: 'evaluate' }));
  });
});
