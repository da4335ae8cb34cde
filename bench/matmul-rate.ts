/** @file What this machine reaches on one large matrix product: the measure of a step's. */
import {
  createEngine,
  float32,
  onnxruntimeExecutor,
  ops,
  type Definition,
  type Tensor,
} from '../engine/index.js';
import { seconds } from './timing.js';

const SIDE = 1024;
const REPEATS = 7;

type Args = { readonly a: Tensor; readonly b: Tensor };

/** The best of a few products of 1024×1024 matrices, in GFLOP/s. */
export async function matmulRate(threads: number): Promise<number> {
  const engine = createEngine(onnxruntimeExecutor({ threads }));
  const definition: Definition<Args> = {
    name: 'bench-matmul',
    compute: ({ a, b }) => ({ product: ops.matMul(a, b) }),
  };
  const matrix = (): Float32Array => Float32Array.from({ length: SIDE * SIDE }, (_, at) => (at % 7) - 3);
  const args = {
    a: engine.upload(float32([SIDE, SIDE], matrix())),
    b: engine.upload(float32([SIDE, SIDE], matrix())),
  };
  try {
    let best = Infinity;
    for (let repeat = 0; repeat <= REPEATS; repeat++) {
      const took = await seconds(async () => {
        await engine.run(definition, args);
      });
      if (repeat > 0) best = Math.min(best, took);
    }
    return (2 * SIDE ** 3) / best / 1e9;
  } finally {
    await engine.dispose();
  }
}
