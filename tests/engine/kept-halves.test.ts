/** @file Values kept in 16 bits: to programs they are the float32 numbers that they stand for. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  HALF_TYPES,
  int32,
  narrowed,
  onnxruntimeExecutor,
  ops,
  tfjsExecutor,
  widened,
  type HostTensor,
  type Tensor,
} from '../../engine/index.js';
import { simplify } from '../../engine/simplify.js';
import { trace } from '../../engine/trace.js';
import { widenedLate } from '../../engine/widen.js';
import { matricesArbitrary, programArbitrary } from '../helpers/programs.js';

const engines = {
  onnxruntime: createEngine(onnxruntimeExecutor({ threads: 1 })),
  tfjs: createEngine(tfjsExecutor()),
};
const engine = engines.onnxruntime;
afterAll(async () => {
  for (const each of Object.values(engines)) await each.dispose();
});

const leaves = (results: Record<string, unknown>): HostTensor[] => [
  results['loss'] as HostTensor,
  results['last'] as HostTensor,
  ...Object.values(results['gradients'] as Record<string, HostTensor>),
];

describe.each(HALF_TYPES)('values kept as %s', (type) => {
  it('are to any program and its gradients what they are as float32, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(programArbitrary, matricesArbitrary, async (definition, { x, y }) => {
        const kept = narrowed(x, type);
        const there = await engine.run(definition, { x: engine.upload(kept), y });
        const wide = await engine.run(definition, { x: widened(kept), y });
        leaves(there as never).forEach((value, at) =>
          expect(value.data).toEqual(leaves(wide as never)[at]!.data),
        );
      }),
      { numRuns: 25 },
    );
  });

  it.each(Object.keys(engines) as (keyof typeof engines)[])('come back from %s as float32', async (name) => {
    const values = float32([2, 2], [1, -0.1, 3e-6, 70000]);
    const value = engines[name].upload(narrowed(values, type));
    const { dtype, data } = await engines[name].download(value);
    expect(dtype).toBe('float32');
    expect(data).toEqual(widened(narrowed(values, type)).data);
    if (name === 'onnxruntime') expect(value.dtype).toBe(type);
  });

  it('are looked up in a table without widening it, and widened anew for a late use', () => {
    const compute = ({ table, ids, x }: Readonly<Record<string, Tensor>>): Tensor => {
      const rows = ops.gather(table!, ids!);
      let late = ops.add(ops.matMul(x!, table!, false, true), ops.sum(rows));
      for (let step = 0; step < 20; step++) late = ops.tanh(late);
      return ops.matMul(late, table!);
    };
    const args = {
      table: { dtype: type, shape: [64, 4] },
      ids: int32([2]),
      x: float32([3, 4]),
    };
    const program = widenedLate(simplify(trace({ name: 'lookup', compute: compute as never, args })));
    const widenings = program.nodes.filter(({ kernel }) => kernel === 'Cast');
    expect(widenings.map(({ shape }) => shape.join()).sort()).toEqual(['2,4', '64,4', '64,4']);
    const positions = program.nodes.flatMap(({ kernel }, at) => (kernel === 'Cast' ? [at] : []));
    const products = program.nodes.flatMap(({ kernel }, at) => (kernel === 'BatchMatMul' ? [at] : []));
    expect(products.map((product) => Math.min(...positions.map((at) => Math.abs(product - at))))).toEqual([1, 1]); // prettier-ignore
  });

  it('stay as they are through a loop', async () => {
    const definition = {
      name: `loop over ${type}`,
      compute: ({ w, x }: Readonly<Record<'w' | 'x', Tensor>>): Tensor => ops.matMul(x, ops.tanh(w)),
    };
    const kept = narrowed(float32([2, 2], [0.3, 1.7, -2.2, 0.01]), type);
    const results: HostTensor[] = [];
    for (const w of [engine.upload(kept), widened(kept)]) {
      const loop = engine.loop<{ w: Tensor }, { x: Tensor }, Tensor>(definition, { w });
      for (const x of [1, 2])
        results.push(await engine.download(await loop.run({ x: float32([1, 2], [x, 1]) })));
    }
    expect(results.slice(0, 2)).toEqual(results.slice(2));
  });
});
