/** @file The eager executor: which backend it takes, and that tensors neither leak nor go stale. */
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import { workload } from '../../bench/step.js';
import { readShapes } from '../../bench/shapes.js';
import {
  createEngine,
  float32,
  loadTfjsBackend,
  ops,
  tfjsExecutor,
  valueAndGradients,
  type Engine,
  type Named,
  type Tensor,
  type TfjsBackend,
} from '../../engine/index.js';
import { nativeTfjs, noNativeTfjs } from '../helpers/tfjs-node.js';

let engine: Engine;
afterEach(() => engine.dispose());
const SIZE = 2048;
const filled = (value: number) => float32([SIZE], new Float32Array(SIZE).fill(value));
const product = {
  name: 'product',
  compute: ({ x, w }: { x: Tensor; w: Tensor }) => ({ y: ops.mul(x, w) }),
};

describe('tfjsExecutor', () => {
  it('makes a tensor of an uploaded value once, and anew after it was written to', async () => {
    engine = createEngine(tfjsExecutor());
    const [x, w, y] = [2, 3, 0].map((value) => engine.upload(filled(value))) as [never, never, never];
    const before = tf.memory().numTensors;
    for (let run = 0; run < 3; run++) await engine.run(product, { x, w }, { y });
    expect(tf.memory().numTensors).toBe(before + 2);
    expect((await engine.download((await engine.run(product, { x: y, w })).y)).data[9]).toBe(18);
    await engine.run(product, { x: w, w }, { y });
    expect((await engine.download((await engine.run(product, { x: y, w })).y)).data[9]).toBe(27);
  });

  it('tells arguments apart that are the same value', async () => {
    engine = createEngine(tfjsExecutor());
    const x = engine.upload(filled(2));
    const compute = ({ a, b }: { a: Tensor; b: Tensor }) => {
      const loss = ({ a: one, b: two }: Named): Tensor =>
        ops.sum(ops.mul(one as Tensor, ops.square(two as Tensor)));
      return valueAndGradients((inputs) => ({ loss: loss(inputs), aux: {} }), { a, b }).gradients as {
        a: Tensor;
        b: Tensor;
      };
    };
    const { a, b } = await engine.run({ name: 'slopes', compute }, { a: x, b: x });
    expect([(await engine.download(a)).data[0], (await engine.download(b)).data[0]]).toEqual([4, 8]);
  });

  it('leaves no tensor behind when it is disposed', async () => {
    const before = tf.memory().numTensors;
    engine = createEngine(tfjsExecutor());
    const [x, w] = [engine.upload(filled(2)), engine.upload(filled(3))];
    await engine.run(product, { x, w });
    await engine.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  const flatOver = async (steps: number, backend?: TfjsBackend): Promise<void> => {
    engine = createEngine(tfjsExecutor(backend));
    const shapes = { ...readShapes('bench/configs/tiny.json'), layers: 1, attack_layers: [0] };
    const work = workload(shapes, { executor: engine.executor, fresh: true });
    await work.step();
    const after = tf.memory().numTensors;
    for (let step = 1; step < steps; step++) await work.step();
    expect(tf.memory().numTensors).toBe(after);
    await work.dispose();
  };

  it('has as many tensors after 40 training steps as after one', () => flatOver(40));

  it.skipIf(!nativeTfjs)(
    `has as many tensors after 200 training steps on TensorFlow as after one${noNativeTfjs ? ` (skipped: ${noNativeTfjs})` : ''}`,
    () => flatOver(200, nativeTfjs),
  );
});

describe('the backend of tfjs', () => {
  const present =
    (...names: string[]) =>
    async (name: string): Promise<void> => {
      if (!names.includes(name)) throw new Error(`Cannot find module '${name}'`);
      await Promise.resolve();
    };

  const restore = (former: unknown): void => {
    const { registryFactory } = tf.engine() as unknown as { registryFactory: Record<string, unknown> };
    if (former === undefined) delete registryFactory['tensorflow'];
    else registryFactory['tensorflow'] = former;
  };

  it('is plain JavaScript where no native package loads', async () => {
    engine = createEngine(tfjsExecutor(await loadTfjsBackend({ folder: '', load: present() })));
    expect(engine.executor.name).toBe('tfjs-cpu');
  });

  it('is the one of the folder that the user names, or an error with the reason', async () => {
    engine = createEngine(tfjsExecutor());
    await expect(loadTfjsBackend({ folder: '/nowhere', load: present() })).rejects.toMatchObject({
      code: 'EXECUTOR_UNAVAILABLE',
      message: expect.stringMatching(/in \/nowhere.*Cannot find module.*latstream tfjs-node/) as string,
    });
    const { registryFactory } = tf.engine();
    const former = registryFactory['tensorflow'];
    registryFactory['tensorflow'] = registryFactory['cpu']!;
    try {
      const load = present('file:///opt/tfjs-node/dist/index.js');
      expect(await loadTfjsBackend({ folder: '/opt/tfjs-node', load })).toEqual({
        backend: 'tensorflow',
        from: '@tensorflow/tfjs-node',
      });
    } finally {
      restore(former);
    }
  });

  it('is the one for GPUs first, then the other, where they load and register it', async () => {
    const { registryFactory } = tf.engine();
    const former = registryFactory['tensorflow'];
    registryFactory['tensorflow'] = registryFactory['cpu']!;
    try {
      const both = present('@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu');
      const backend = await loadTfjsBackend({ folder: '', load: both });
      expect(backend).toEqual({ backend: 'tensorflow', from: '@tensorflow/tfjs-node-gpu' });
      engine = createEngine(tfjsExecutor(backend));
      expect(engine.executor.name).toBe('tfjs-node-gpu');
      expect(await loadTfjsBackend({ folder: '', load: present('@tensorflow/tfjs-node') })).toMatchObject({
        from: '@tensorflow/tfjs-node',
      });
    } finally {
      restore(former);
    }
  });
});
