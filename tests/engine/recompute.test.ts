/** @file Blocks computed again in their backward pass: the same bits, and only the streams between them held. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../engine/evaluate.js';
import { float32, ops, valueAndGradients, type HostTensor, type Tensor } from '../../engine/index.js';
import { peakBytes } from '../../engine/lifetimes.js';
import type { Program } from '../../engine/program.js';
import { recompute } from '../../engine/recompute.js';
import { simplify } from '../../engine/simplify.js';
import { trace } from '../../engine/trace.js';

const ROWS = 6;
const WIDTH = 8;
const waves = (shape: readonly number[], seed: number): HostTensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(seed + 3 * at) / 2),
  );
const ARGS = { x: waves([ROWS, WIDTH], 0), w: waves([WIDTH, WIDTH], 1), mask: waves([ROWS, 1], 2) };

/** Forward passes of blocks with a table that all of them share, each pass with its gradient; summed. */
function passes(blocks: readonly number[], width: number): Program {
  const compute = ({ x, w, mask }: Record<keyof typeof ARGS, Tensor>) => {
    const gradients = blocks.map((layers) => {
      const pass = valueAndGradients(
        (inputs) => {
          const table = ops.tanh(mask);
          let h = ops.boundary(ops.mul(inputs['x'] as Tensor, 1.5), 0);
          for (let layer = 0; layer < layers; layer++) {
            let inner = h;
            for (let depth = 0; depth < width; depth++)
              inner = ops.mul(ops.tanh(ops.matMul(inner, w)), table);
            h = ops.boundary(ops.add(h, inner), layer + 1);
          }
          return { loss: ops.mean(ops.square(h)), aux: {} };
        },
        { x },
      );
      return pass.gradients['x'] as Tensor;
    });
    return { gradient: gradients.reduce((sum, each) => ops.add(sum, each)) };
  };
  return simplify(trace({ name: 'passes', compute: compute as never, args: ARGS }));
}

const products = (program: Program): number =>
  program.nodes.filter(({ kernel }) => kernel === 'BatchMatMul').length;

describe('recompute', () => {
  test('keeps the meaning of any number of passes bit for bit, and never holds more', () => {
    const some = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 3 }), (blocks, width) => {
        const before = passes(blocks, width);
        const after = recompute(before);
        expect(peakBytes(after)).toBeLessThanOrEqual(peakBytes(before));
        const inputs = new Map(Object.entries(ARGS));
        expect(evaluateProgram(after, inputs)).toEqual(evaluateProgram(before, inputs));
      }),
      { numRuns: 25 },
    );
  });

  test('computes every block but the last of a pass twice', () => {
    const before = passes([4], 3);
    // Three products a block forward, three back; of those computed again the last is read by nobody but the stream.
    expect(products(before)).toBe(2 * 4 * 3);
    expect(products(recompute(before)) - products(before)).toBe(3 * 3);
  });

  test('holds a stream per block, whatever a block computes inside', () => {
    const growth = (program: (layers: number) => Program): number =>
      (peakBytes(program(12)) - peakBytes(program(6))) / (6 * ROWS * WIDTH * 4);
    expect(growth((layers) => passes([layers], 5))).toBe(5);
    expect(growth((layers) => recompute(passes([layers], 5)))).toBe(1);
  });

  test('leaves a program without blocks as it is', () => {
    const program = passes([1], 1);
    expect(recompute(program)).toBe(program);
  });
});
