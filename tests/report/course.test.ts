/** @file The course of training: arms whose steps cost different amounts on one axis, and what the axis means. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { axisOf } from '../../report/axis.js';
import { chart, type Panel } from '../../report/chart.js';
import { courseSection } from '../../report/course.js';
import { experimentsOf, type Experiment, type ModelRecord } from '../../report/index.js';
import type { Metric } from '../../streams/index.js';
import { modelOf, runOf } from './records.js';

function metric(step: number, kind: string, values: Record<string, number>): Metric {
  return { run: 'x', sequence: step, time: 0, step, kind, values };
}

/** An arm that was evaluated after the second and fourth of its steps, each of which took so many tokens. */
function arm(name: string, tokens: number, success: readonly [number, number]): ModelRecord {
  const throughput = [1, 2, 3, 4].map((step) =>
    metric(step, 'throughput', { forwardTokens: 3 * step * tokens, backwardTokens: step * tokens }),
  );
  const evaluate = [2, 4].map((step, at) =>
    metric(step, 'evaluate', { directComply: success[at] as number, latentComply: 0.5 }),
  );
  return modelOf(name, { metrics: { evaluate, throughput } });
}

function experiment(seeds: readonly number[]): Experiment {
  const base = modelOf('base', { metrics: { evaluate: [metric(0, 'evaluate', { directComply: 1 })] } });
  const runs = seeds.map((seed) =>
    runOf(seed, [base, arm('refusal', 10 + seed, [0.6, 0.4]), arm('lat', 1000 + seed, [0.5, 0.2])]),
  );
  return experimentsOf(runs)[0] as Experiment;
}

const panels = (of: Experiment): Panel[] =>
  courseSection(of)
    .flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'figure' ? block.panels : [])))
    .filter((panel) => panel.kind === 'chart');

describe('courseSection', () => {
  it('shows success against the tokens of passes, cheap and dear arms on one axis of factors', () => {
    const direct = panels(experiment([0])).filter(({ title }) => title === 'direct: complies');
    expect(direct).toMatchObject([
      { x: 'step', log: false },
      { x: 'tokens forward and back', log: true },
    ]);
    const over = direct[1] as Panel;
    expect(over.series.map(({ name, points }) => [name, ...points.map(({ x, y }) => [x, y])])).toEqual([
      ['refusal', [0, 1], [80, 0.6], [160, 0.4]],
      ['lat', [0, 1], [8000, 0.5], [16_000, 0.2]],
    ]);
    const drawn = chart(over);
    for (const tick of ['10', '100', '1000', '10k', '100k']) expect(drawn).toContain(`>${tick}<`);
    expect(drawn.match(/<polyline/g)).toHaveLength(2);
    expect(drawn).not.toMatch(/NaN|Infinity/);
  });

  it('takes the mean of what seeds were measured at in one step, however many tokens each had needed', () => {
    const over = panels(experiment([0, 1])).find(({ x }) => x === 'tokens forward and back');
    expect(over?.series[1]).toMatchObject({
      points: [{ x: 0 }, { x: 8 * 1000.5, y: 0.5 }, { x: 16 * 1000.5, y: 0.2 }],
    });
  });
});

describe('axisOf', () => {
  it('gives equal factors equal distances, and names powers of ten around all values', () => {
    const value = fc.double({ min: 1e-3, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), (values) => {
        const axis = axisOf([...values, 0, NaN], { from: 10, to: 110, log: true });
        const at = (each: number): number => axis.at(each);
        expect([axis.ticks[0]!.at, axis.ticks.at(-1)!.at]).toEqual([10, 110]);
        for (const each of values) {
          expect(at(each)).toBeGreaterThan(10 - 1e-6);
          expect(at(each)).toBeLessThan(110 + 1e-6);
          expect(at(10 * each) - at(each)).toBeCloseTo(at(10) - at(1), 6);
        }
      }),
    );
  });
});
