/** @file The WebGPU executor, on this machine's driver or on one in software: every kernel, where it runs, and its memory. */
import { describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  ops,
  tfjsExecutor,
  webgpuExecutor,
  type Engine,
  type HostTensor,
  type Tensor,
} from '../../engine/index.js';
import { cases, matrix, positive } from '../helpers/kernel-cases.js';
import { noWebGpu, watchedWebGpu } from '../helpers/webgpu.js';

if (noWebGpu !== undefined) process.stdout.write(`webgpu tests skipped: ${noWebGpu}\n`);

const host = async (engine: Engine, value: unknown): Promise<HostTensor> =>
  engine.download(value as HostTensor);

describe.skipIf(noWebGpu !== undefined)('webgpuExecutor', () => {
  const all = (names: readonly string[]) => ({
    name: `kernels ${names.join(' ')}`,
    compute: (args: unknown): Record<string, Tensor> =>
      Object.fromEntries(names.map((name) => [name, cases[name]!((args as { x: Tensor }).x)])),
  });

  it('computes every kernel as tfjs does, all but the type of an ArgMax on the device', async () => {
    const [most, one] = [watchedWebGpu(1), watchedWebGpu(1)];
    const eager = createEngine(tfjsExecutor());
    const names = Object.keys(cases).filter((name) => name !== 'ArgMax');
    for (const [{ executor }, which] of [
      [most, names],
      [one, ['ArgMax']],
    ] as const) {
      const engine = createEngine(executor);
      for (const x of [matrix, positive]) {
        const got = (await engine.run(all(which), { x })) as Record<string, unknown>;
        const expected = (await eager.run(all(which), { x })) as Record<string, unknown>;
        for (const name of which) {
          const { data } = await host(engine, got[name]);
          const reference = await host(eager, expected[name]);
          expect(data.constructor).toBe(reference.data.constructor);
          reference.data.forEach((value, at) => expect(data[at], name).toBeCloseTo(value, 5));
        }
      }
      await engine.dispose();
    }
    expect(most.offDevice()).toEqual([]);
    expect(one.offDevice()).toEqual([
      'MemcpyToHost on WebGpuExecutionProvider',
      'Cast on CPUExecutionProvider',
    ]);
  });

  it('has sines and logarithms as exact as float32, where GPUs need not have them', async () => {
    const engine = createEngine(webgpuExecutor({ threads: 1 }));
    const angles = Array.from({ length: 2000 }, (_, at) => (at - 1000) * 4.0961);
    const near = Array.from({ length: 2000 }, (_, at) => 1e-6 * 1.012 ** at);
    const got = await engine.run(
      {
        name: 'exact functions',
        compute: ({ x, y }: { x: Tensor; y: Tensor }) => ({
          sin: ops.sin(x),
          cos: ops.cos(x),
          log: ops.log(ops.add(1, y)),
          log1p: ops.log1p(y),
          softplus: ops.softplus(ops.neg(y)),
          pow: ops.pow(0.999, y),
        }),
      },
      { x: float32([2000], angles), y: float32([2000], near) },
    );
    const exact: Readonly<Record<keyof typeof got, (at: number) => number>> = {
      sin: (at) => Math.sin(Math.fround(angles[at]!)),
      cos: (at) => Math.cos(Math.fround(angles[at]!)),
      log: (at) => Math.log(Math.fround(1 + Math.fround(near[at]!))),
      log1p: (at) => Math.log1p(near[at]!),
      softplus: (at) => Math.log1p(Math.exp(-near[at]!)),
      pow: (at) => Math.fround(0.999) ** Math.fround(near[at]!),
    };
    for (const [name, value] of Object.entries(got)) {
      const { data } = await host(engine, value);
      data.forEach((each, at) => {
        const expected = exact[name as keyof typeof got](at);
        // Sines of large numbers and powers are as exact as their exponents and angles can be.
        const ofPower = name === 'pow' ? 1 + Math.abs(near[at]! * Math.log(0.999)) : 1;
        const scale = ['sin', 'cos', 'softplus'].includes(name) ? 1 : ofPower * Math.abs(expected);
        expect(Math.abs(each - expected) / scale, `${name} ${at}`).toBeLessThan(1e-6);
      });
    }
    await engine.dispose();
  });

  const kept = {
    name: 'kept',
    compute: ({ x, w }: { x: Tensor; w: Tensor }) => ({ y: ops.mul(x, w), s: ops.sum(x) }),
  };
  const SIZE = 2 ** 14;

  it('keeps values on the device between programs, shares them, and writes where it is told to', async () => {
    const engine = createEngine(webgpuExecutor({ threads: 1 }));
    const x = engine.upload(float32([SIZE], new Float32Array(SIZE).fill(3)));
    const w = engine.upload(float32([SIZE], new Float32Array(SIZE).fill(2)));
    const y = engine.upload(float32([SIZE]));
    const first = await engine.run(kept, { x, w }, { y });
    expect(first.y).toBe(y);
    const second = await engine.run({ ...kept, name: 'kept too' }, { x: y, w: x });
    expect([(await host(engine, y)).data[5], (await host(engine, second.y)).data[5]]).toEqual([6, 18]);
    expect((await host(engine, second.s)).data[0]).toBe(6 * SIZE);
    expect((await host(engine, x)).data[5]).toBe(3);
    const plain = float32([SIZE]);
    await engine.run(kept, { x, w }, { y: plain });
    expect(plain.data[7]).toBe(6);
    await engine.dispose();
  });

  it.each(['written over', 'let go'])(
    'holds its memory flat over 2,000 runs whose results are %s',
    async (how) => {
      const engine = createEngine(webgpuExecutor({ threads: 1 }));
      const upload = () => engine.upload(float32([8 * SIZE], new Float32Array(8 * SIZE).fill(1)));
      const w = upload();
      let [x, y] = [upload(), upload()];
      const resident = async (runs: number): Promise<number> => {
        for (let run = 0; run < runs; run++) {
          await engine.run(kept, { x, w }, how === 'let go' ? {} : { y });
          [x, y] = [y, x];
        }
        return process.memoryUsage.rss() / 2 ** 20;
      };
      // Half a MB each: what waits for the garbage collector may be 256 MB, and is there after 600 runs.
      const warm = await resident(1000);
      expect((await resident(1000)) - warm).toBeLessThan(60);
      await engine.dispose();
    },
  );
});
