/** @file A planned step is the step: the same programs, run as often. And what is told from a plan. */
import { describe, expect, it } from 'vitest';
import { memoryTerms } from '../../bench/memory.js';
import { phaseOf } from '../../bench/phases.js';
import { planning } from '../../bench/planning.js';
import { seriesOf } from '../../bench/scale.js';
import { readShapes, type Shapes } from '../../bench/shapes.js';
import { workload } from '../../bench/step.js';
import { watched } from '../../bench/watched.js';
import { onnxruntimeExecutor, PRECISIONS } from '../../engine/index.js';

const tiny = readShapes('bench/configs/tiny.json');

const counts = (names: readonly string[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const name of names) sums[name] = (sums[name] ?? 0) + 1;
  return sums;
};

describe('planning', () => {
  it.each(PRECISIONS)('plans what a step in %s runs, as often as the step runs it', async (precision) => {
    const shapes = { ...tiny, attack_iterations: 3, defence_iterations: 2, precision, weights: precision };
    const watch = watched(onnxruntimeExecutor({ threads: 1, precision }));
    const plan = planning({ precision });
    for (const { executor } of [watch, plan]) {
      const work = workload(shapes, { executor });
      await work.step();
      await work.dispose();
    }
    const planned = plan.compilations.flatMap(({ programs }) => programs);
    const expected = Object.fromEntries(planned.map(({ program, runs }) => [phaseOf(program.name), runs]));
    expect(counts(watch.runs().map(({ program }) => phaseOf(program)))).toEqual(expected);
    expect(expected).toEqual({ 'attack once': 1, attack: 3, 'defend once': 1, defend: 2 });
    const types = new Set(planned.flatMap(({ program }) => program.nodes.map(({ dtype }) => dtype)));
    expect([...types].filter((type) => type.endsWith('16'))).toEqual(
      precision === 'float32' ? [] : [precision],
    );
  });
});

describe('memoryTerms', () => {
  it('counts weights and trained values of the tiny configuration as by hand', async () => {
    const terms = await memoryTerms(tiny);
    const [hidden, ffn, keys, vocabulary] = [16, 32, 8, 64];
    const block = 2 * hidden * hidden + 2 * hidden * keys + 3 * hidden * ffn + 2 * hidden;
    expect(terms.weights).toBe(4 * (2 * vocabulary * hidden + 2 * block + hidden));
    // Rank 2 on q, k, v, o, up and down.
    const [square, narrow, wide] = [2 * hidden, hidden + keys, hidden + ffn];
    const adapters = 2 * 2 * (2 * square + 2 * narrow + 2 * wide);
    expect(terms.trained).toBe(4 * 7 * adapters);
  });

  it('counts matrices that are kept in 16 bits as that, and computes in them as it is told', async () => {
    const wide = await memoryTerms(tiny);
    const kept = await memoryTerms({ ...tiny, weights: 'bfloat16' });
    const norms = 4 * (2 * tiny.layers + 1) * tiny.hidden;
    expect(kept.weights).toBe((wide.weights - norms) / 2 + norms);
    expect(kept.trained).toBe(wide.trained);
    const halved = await memoryTerms({ ...tiny, precision: 'float16', weights: 'float16' });
    expect(halved.weights).toBe(kept.weights);
    expect(halved.sessions).toBeGreaterThan(kept.sessions);
  });

  it('holds perturbations in proportion to rows, and none that is trained for a gradient alone', async () => {
    const once = await memoryTerms(tiny);
    const twice = await memoryTerms({ ...tiny, batch: 2 * tiny.batch });
    expect(twice.perturbations).toBe(2 * once.perturbations);
    expect(twice.weights).toBe(once.weights);
    expect(twice.program).toBeGreaterThan(1.5 * once.program);
    expect((await memoryTerms({ ...tiny, kind: 'gradient' })).trained).toBe(0);
  });
});

describe('seriesOf', () => {
  it.each([tiny, readShapes('bench/configs/small.json')])(
    'changes one thing at a time, and x with it',
    (shapes) => {
      const axes: readonly (keyof Shapes)[] = ['batch', 'attack_layers', 'attack_iterations'];
      for (const [at, { variants }] of seriesOf(shapes).entries()) {
        expect(variants.length).toBeGreaterThanOrEqual(3);
        expect(new Set(variants.map(({ x }) => x)).size).toBe(variants.length);
        const axis = axes[at]!;
        for (const { shapes: variant } of variants)
          expect({ ...variant, [axis]: shapes[axis] }).toEqual(shapes);
      }
    },
  );
});
