/** @file A small piece of training, to see that an executor computes, how fast, and how near to plain JavaScript. */
import { performance } from 'node:perf_hooks';
import { createEngine } from '../engine.js';
import type { Definition, Executor, ValuesOf } from '../executor.js';
import { tfjsExecutor } from '../executors/tfjs.js';
import { valueAndGradients, type Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Precision } from '../precision.js';
import type { Tensor } from '../ops.js';
import { float32, int32, type HostTensor, type Value } from '../tensor.js';
import type { Tree } from '../tree.js';

export interface SmallStep {
  /** The executor's own name: `tfjs` says here what it runs on. */
  readonly name: string;
  /** Median of the steps after the first, and the first, which compiles. */
  readonly milliseconds: number;
  readonly firstMilliseconds: number;
  /** Largest difference from tfjs `cpu` in gradients, as a share of the largest gradient. */
  readonly error: number;
  /** What the executor can compute in here, where that was tried, too. */
  readonly precisions?: readonly Precision[];
}

// B rows, D width, H hidden, V classes
const [B, D, H, V] = [64, 256, 512, 256];
/** Steps after the first: at most so many, and none is begun so many milliseconds after it. */
const REPEATS = 9;
const LONG_ENOUGH = 5000;

/** How a step is watched; the clock is for tests. */
export interface Watching {
  /** Called before everything that may take long. */
  readonly onBegin?: (doing: string) => void;
  /** Milliseconds. */
  readonly now?: () => number;
}

interface Args<T = Tensor> {
  readonly weights: Readonly<Record<'up' | 'down', T>>;
  readonly x_BD: T;
  readonly labels_B: T;
}

/** A hidden layer, a cross-entropy, and the gradients of both matrices. */
const step: Definition<Args & Readonly<Record<string, Tree<Tensor>>>, Named> = {
  name: 'small step',
  compute: ({ weights, x_BD, labels_B }) => {
    const loss = ({ up, down }: Named): Tensor => {
      const logits_BV = ops.matMul(ops.tanh(ops.matMul(x_BD, up as Tensor)), down as Tensor);
      const target_BV = ops.cast(ops.oneHot(labels_B as never, V), 'float32');
      return ops.neg(ops.mean(ops.sum(ops.mul(target_BV, ops.logSoftmax(logits_BV)), -1)));
    };
    const found = valueAndGradients((inputs) => ({ loss: loss(inputs), aux: {} }), weights);
    return { loss: found.loss, ...found.gradients };
  },
};

/** Computes the step again and again, less often where it is slow; the executor is disposed afterwards. */
export async function smallStep(executor: Executor, watching: Watching = {}): Promise<SmallStep> {
  watching.onBegin?.('the step in plain JavaScript');
  const reference = await gradientsOn(tfjsExecutor(), 0);
  const { gradients, times } = await gradientsOn(executor, REPEATS, watching);
  const largest = most(reference.gradients);
  const error = most(gradients.map((value, at) => value - (reference.gradients[at] as number)));
  const [first = 0, ...later] = times;
  later.sort((a, b) => a - b);
  return {
    name: executor.name,
    milliseconds: later[Math.floor(later.length / 2)] ?? first,
    firstMilliseconds: first,
    error: error / largest,
  };
}

async function gradientsOn(
  executor: Executor,
  repeats: number,
  { onBegin, now = () => performance.now() }: Watching = {},
) {
  const engine = createEngine(executor);
  try {
    const args = {
      weights: { up: engine.upload(wave([D, H])), down: engine.upload(wave([H, V])) },
      x_BD: engine.upload(wave([B, D])),
      labels_B: engine.upload(
        int32(
          [B],
          Array.from({ length: B }, (_, row) => (7 * row) % V),
        ),
      ),
    };
    const times: number[] = [];
    let last: ValuesOf<Named> = {};
    let end = Infinity;
    for (let time = 0; time <= repeats && (time < 2 || now() < end); time++) {
      onBegin?.(time === 0 ? 'the first step' : `step ${time + 1}`);
      const start = now();
      last = await engine.run(step, args);
      await engine.download(last['loss'] as Value);
      times.push(now() - start);
      if (time === 0) end = now() + LONG_ENOUGH;
    }
    onBegin?.('what the steps came to');
    const [up, down] = [last['up'] as Value, last['down'] as Value];
    const gradients = [...(await engine.download(up)).data, ...(await engine.download(down)).data];
    return { gradients, times };
  } finally {
    await engine.dispose();
  }
}

/** The largest in absolute value; not a number where one is not. */
function most(values: readonly number[]): number {
  return values.reduce((largest, value) => (Math.abs(value) <= largest ? largest : Math.abs(value)), 0);
}

/** Numbers of about the size of weights, the same everywhere. */
function wave(shape: readonly [number, number]): HostTensor {
  const size = shape[0] * shape[1];
  return float32(
    shape,
    Float32Array.from({ length: size }, (_, at) => Math.sin(1.7 * at + 0.3) / 16),
  );
}
