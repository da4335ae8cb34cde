import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../engine/evaluate.js';
import { float32, ops, valueAndGradients, type HostTensor, type Tensor } from '../../engine/index.js';
import { peakBytes } from '../../engine/lifetimes.js';
import { swiglu } from '../../engine/models/swiglu.js';
import type { Program } from '../../engine/program.js';
import { rematerialize } from '../../engine/rematerialize.js';
import { simplify } from '../../engine/simplify.js';
import { trace } from '../../engine/trace.js';

const ROWS = 4;
const WIDTH = 8;
const matrix = (seed: number): HostTensor =>
  float32(
    [ROWS, WIDTH],
    Float32Array.from({ length: ROWS * WIDTH }, (_, at) => Math.sin(seed + 3 * at)),
  );

/** Layers of a product and cheap work on it, and the gradient of what comes out: long lives, as in a decoder. */
function layered(layers: number, cheap: readonly ((x: Tensor, y: Tensor) => Tensor)[]): Program {
  const args = { x: matrix(0), w: float32([WIDTH, WIDTH]) };
  const compute = ({ x, w }: Record<'x' | 'w', Tensor>) => {
    const { loss, gradients } = valueAndGradients(
      (inputs) => {
        let h = inputs['x'] as Tensor;
        for (let layer = 0; layer < layers; layer++) {
          const left = ops.matMul(h, w);
          const right = ops.matMul(h, w, false, true);
          h = ops.add(h, ops.matMul((cheap[layer % cheap.length] as (typeof cheap)[number])(left, right), w));
        }
        return { loss: ops.mean(ops.square(h)), aux: {} };
      },
      { x },
    );
    return { loss, gradients };
  };
  return simplify(trace({ name: 'layers', compute: compute as never, args }));
}

const CHEAP = {
  swiglu,
  gated: (x: Tensor, y: Tensor) => ops.mul(ops.tanh(x), ops.sigmoid(y)),
  shaped: (x: Tensor, y: Tensor) =>
    ops.reshape(
      ops.mul(ops.reshape(ops.exp(ops.tanh(x)), [WIDTH, ROWS]), ops.reshape(y, [WIDTH, ROWS])),
      x.shape,
    ),
  divided: (x: Tensor, y: Tensor) => ops.div(x, ops.add(ops.square(y), 1)),
  softmax: (x: Tensor, y: Tensor) => ops.mul(ops.softmax(x), y),
};

describe('rematerialize', () => {
  test('keeps the meaning of any program bit for bit, and never holds more', () => {
    const kinds = fc.array(fc.constantFrom(...Object.values(CHEAP)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), kinds, (layers, cheap) => {
        const before = layered(layers, cheap);
        const after = rematerialize(before);
        expect(peakBytes(after)).toBeLessThanOrEqual(peakBytes(before));
        const inputs = new Map([
          ['x', matrix(7)],
          [
            'w',
            float32(
              [WIDTH, WIDTH],
              Float32Array.from({ length: 64 }, (_, at) => Math.sin(at) / 3),
            ),
          ],
        ]);
        const expected = evaluateProgram(before, inputs);
        for (const [path, data] of evaluateProgram(after, inputs))
          expect([...data]).toEqual([...expected.get(path)!]);
      }),
      { numRuns: 25 },
    );
  });

  test('holds two of the four results of a gated activation for its gradient', () => {
    const before = layered(12, [swiglu]);
    const after = rematerialize(before);
    const sigmoids = (program: Program) => program.nodes.filter(({ kernel }) => kernel === 'Sigmoid').length;
    expect(sigmoids(after)).toBeGreaterThan(sigmoids(before));
    const products = before.nodes.filter(({ kernel }) => kernel === 'BatchMatMul').length;
    expect(after.nodes.filter(({ kernel }) => kernel === 'BatchMatMul')).toHaveLength(products);
    expect(peakBytes(after)).toBeLessThan(0.75 * peakBytes(before));
  });

  test('leaves a short program as it is', () => {
    const program = layered(1, [swiglu]);
    expect(rematerialize(program)).toBe(program);
  });
});
