import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { float32, ops, type Tensor } from '../../engine/index.js';
import { trace } from '../../engine/trace.js';

const x = float32([2, 2], [1, 2, 3, 4]);
const traceOf =
  (compute: (x: Tensor) => Tensor): (() => unknown) =>
  () =>
    trace({ name: 'probe', compute: (args) => compute((args as { x: Tensor }).x), args: { x } });

describe('trace', () => {
  test('computes nothing and leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    const program = trace({
      name: 'square',
      compute: (args) => ops.square((args as { x: Tensor }).x),
      args: { x },
    });
    expect(program.nodes.map((node) => node.kernel)).toEqual(['Input', 'Square']);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('names the kernel that has no lowering', () => {
    expect(traceOf((input) => tf.cumsum(input))).toThrow(/Cumsum/);
    expect(traceOf((input) => tf.cumsum(input))).toThrow(
      expect.objectContaining({ code: 'TRACE_NO_LOWERING' }),
    );
  });

  test('refuses to read a value and names the operation that asked', () => {
    const read = traceOf((input) => ops.mul(input, ops.square(input).dataSync()[0] ?? 0));
    expect(read).toThrow(expect.objectContaining({ code: 'TRACE_READ' }));
  });

  test('refuses randomness, which would be baked in', () => {
    const noisy = traceOf((input) => ops.add(input, tf.randomNormal([2, 2])));
    expect(noisy).toThrow(expect.objectContaining({ code: 'TRACE_RANDOM' }));
  });

  test('refuses tensors made outside', () => {
    const outside = tf.tidy(() => tf.keep(tf.tensor2d([[1, 2], [3, 4]]))); // prettier-ignore
    expect(traceOf((input) => ops.add(input, outside))).toThrow();
    outside.dispose();
  });
});
