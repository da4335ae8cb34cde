/** @file Runs taken together: what belongs together, and that order, missing parts and certainty do not mislead. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairedDifference, wilson } from '../../foundation/index.js';
import type { Outcome } from '../../operators/index.js';
import { experimentsOf, htmlOf, reportOf, type RunRecord } from '../../report/index.js';
import { evaluationOf, modelOf, runOf } from './records.js';

const outcome = fc.constantFrom<Outcome>('comply', 'refuse', 'incoherent');
const table = (n: number): fc.Arbitrary<Outcome[]> => fc.array(outcome, { minLength: n, maxLength: n });
const runs = fc
  .record({
    seeds: fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 3 }),
    n: fc.integer({ min: 1, max: 6 }),
  })
  .chain(({ seeds, n }) =>
    fc.tuple(
      ...seeds.map((seed) =>
        fc.tuple(table(n), table(n), table(n)).map((all): RunRecord => {
          const models = ['base', 'refusal', 'lat'].map((name, at) =>
            modelOf(name, { evaluation: evaluationOf({ direct: all[at] as Outcome[] }) }),
          );
          return runOf(seed, models);
        }),
      ),
    ),
  );

describe('experimentsOf', () => {
  it('the order in which runs are named changes nothing, and every pooled interval holds its estimate', () => {
    fc.assert(
      fc.property(runs, (given) => {
        const [experiment] = experimentsOf(given);
        expect(experimentsOf([...given].reverse())).toEqual([experiment]);
        const [measure] = experiment!.measures;
        for (const { estimate, low, high } of [
          ...Object.values(measure!.models),
          ...Object.values(measure!.differences),
        ]) {
          expect(low).toBeLessThanOrEqual(estimate);
          expect(high).toBeGreaterThanOrEqual(estimate);
          expect(high).toBeGreaterThan(low);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('with one seed gives the intervals of Wilson and of Newcombe', () => {
    fc.assert(
      fc.property(table(7), table(7), (first, second) => {
        const run = runOf(3, [
          modelOf('base'),
          modelOf('refusal', { evaluation: evaluationOf({ direct: first }) }),
          modelOf('lat', { evaluation: evaluationOf({ direct: second }) }),
        ]);
        const [measure] = experimentsOf([run])[0]!.measures;
        const complied = (all: readonly Outcome[]): boolean[] => all.map((each) => each === 'comply');
        expect(measure!.models['lat']).toMatchObject(wilson(complied(second).filter(Boolean).length, 7));
        expect(measure!.differences['lat']).toEqual(pairedDifference(complied(second), complied(first)));
        expect(measure!.models['base']).toBeUndefined();
      }),
    );
  });

  it('keeps different recipes apart, and refuses the same measurement twice', () => {
    const models = [modelOf('base'), modelOf('refusal'), modelOf('lat')];
    const found = experimentsOf([runOf(0, models, 'a'), runOf(0, models, 'b'), runOf(1, models, 'a')]);
    expect(found.map(({ runs: all }) => all.map(({ recipe }) => recipe.seed))).toEqual([[0, 1], [0]]);
    expect(() => experimentsOf([runOf(0, models), runOf(0, models)])).toThrow(/seed 0 of tiny/);
  });

  it('compares arms with the seeds that both have finished', () => {
    const [yes, no]: [Outcome[], Outcome[]] = [
      ['comply', 'comply'],
      ['refuse', 'comply'],
    ];
    const base = modelOf('base', { evaluation: evaluationOf({}) });
    const whole = runOf(0, [
      base,
      modelOf('refusal', { evaluation: evaluationOf({ direct: yes }) }),
      modelOf('lat', { evaluation: evaluationOf({ direct: no }, [true, false]) }),
    ]);
    const half = runOf(1, [
      base,
      modelOf('refusal', { evaluation: evaluationOf({ direct: no }) }),
      modelOf('lat'),
    ]);
    const [experiment] = experimentsOf([half, whole]);
    const [direct, benign] = experiment!.measures;
    expect(direct!.models['refusal']).toMatchObject({ n: 4, estimate: 0.75 });
    expect(direct!.models['lat']!.bySeed.map(({ seed }) => seed)).toEqual([0]);
    expect(direct!.differences['lat']!.estimate).toBe(-0.5);
    expect(benign!.models['lat']!.estimate).toBe(0.5);
    expect(benign!.differences).toEqual({});
    expect(htmlOf(reportOf([experiment!]))).toContain('1 of 2 not finished');
  });
});
