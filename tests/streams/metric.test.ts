import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricFrom, MetricJournal, type Metric } from '../../streams/index.js';

describe('MetricJournal', () => {
  it('numbers the metrics of all arms in one sequence, in the order of publication', () => {
    const published: Metric[] = [];
    const journal = new MetricJournal((metric) => published.push(metric), { first: 7, now: () => 1000 });
    const [refusal, lat] = [journal.recorder('jailbreak/refusal'), journal.recorder('jailbreak/lat')];
    refusal(1, 'defend', { loss: 2 });
    lat(1, 'attack', { loss: 3 });
    const last = refusal(2, 'defend', { loss: 1 });
    expect(published.map(({ run, sequence }) => [run, sequence])).toEqual([
      ['jailbreak/refusal', 7],
      ['jailbreak/lat', 8],
      ['jailbreak/refusal', 9],
    ]);
    expect(published[2]).toBe(last);
    expect(journal.next).toBe(10);
  });
});

describe('metricFrom', () => {
  const metric = fc.record({
    run: fc.string(),
    sequence: fc.nat(),
    time: fc.nat(),
    step: fc.nat(),
    kind: fc.string(),
    values: fc.dictionary(
      fc.stringMatching(/^[a-z/.0-9]+$/),
      fc.double().map((value) => value + 0),
    ),
  });

  it('reads back what JSON wrote; what was not finite reads as NaN', () => {
    fc.assert(
      fc.property(metric, (written) => {
        const values = Object.fromEntries(
          Object.entries(written.values).map(([name, value]) => [
            name,
            Number.isFinite(value) ? value : Number.NaN,
          ]),
        );
        expect(metricFrom(JSON.parse(JSON.stringify(written)))).toEqual({ ...written, values });
      }),
    );
  });

  it('takes nothing else for a metric', () => {
    fc.assert(fc.property(fc.jsonValue(), (json) => metricFrom(json) === undefined));
    const good = { run: 'r', sequence: 0, time: 1, step: 0, kind: 'attack', values: { loss: 1 } };
    expect(metricFrom(good)).toEqual(good);
    for (const bad of [
      { step: 0.5 },
      { sequence: '0' },
      { values: [] },
      { values: { loss: 'x' } },
      { run: 1 },
    ]) {
      expect(metricFrom({ ...good, ...bad })).toBeUndefined();
    }
  });
});
