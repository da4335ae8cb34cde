/**
 * @file The executor whose values stay on a device, over the runtime's C API: here the device is host memory, through the
 * calls that are CUDA's, too. Every kernel, its memory, and what it says where something is wrong.
 */
import { describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  int32,
  ops,
  tfjsExecutor,
  type Engine,
  type HostTensor,
  type Tensor,
} from '../../engine/index.js';
import { loadCApi } from '../../engine/executors/resident/c-api.js';
import { residentExecutor } from '../../engine/executors/resident/executor.js';
import { ResidentDevice } from '../../engine/executors/resident/session.js';
import { cases, matrix, positive } from '../helpers/kernel-cases.js';
import { noCuda } from '../helpers/cuda.js';

const api = await loadCApi();
if (!api) process.stdout.write('tests of resident values skipped: koffi is not installed\n');

describe.skipIf(!api)('residentExecutor', () => {
  const engineOf = (): Engine => createEngine(residentExecutor(api!, { threads: 1, provider: 'cpu' }));
  const host = async (engine: Engine, value: unknown): Promise<HostTensor> =>
    engine.download(value as HostTensor);

  it('computes every kernel as tfjs does', async () => {
    const all = {
      name: 'kernels',
      compute: (args: unknown): Record<string, Tensor> =>
        Object.fromEntries(
          Object.entries(cases).map(([name, each]) => [name, each((args as { x: Tensor }).x)]),
        ),
    };
    const [engine, eager] = [engineOf(), createEngine(tfjsExecutor())];
    for (const x of [matrix, positive]) {
      const got = (await engine.run(all, { x })) as Record<string, unknown>;
      const expected = (await eager.run(all, { x })) as Record<string, unknown>;
      for (const name of Object.keys(cases)) {
        const { data, shape } = await host(engine, got[name]);
        const reference = await host(eager, expected[name]);
        expect(data.constructor).toBe(reference.data.constructor);
        expect(shape).toEqual(reference.shape);
        reference.data.forEach((value, at) => expect(data[at], name).toBeCloseTo(value, 5));
      }
    }
    await engine.dispose();
    await eager.dispose();
  });

  const SIZE = 2 ** 14;
  const filled = (value: number) => float32([2, SIZE / 2], new Float32Array(SIZE).fill(value));
  const product = {
    name: 'product',
    compute: ({ x, w }: { x: Tensor; w: Tensor }) => ({ y: ops.mul(x, w), s: ops.sum(x) }),
  };

  it('keeps values on the device between programs, shares them, and writes where it is told to', async () => {
    const engine = engineOf();
    const [x, w, y] = [engine.upload(filled(3)), engine.upload(filled(2)), engine.upload(filled(0))];
    const first = await engine.run(product, { x, w }, { y });
    expect(first.y).toBe(y);
    const second = await engine.run({ ...product, name: 'product too' }, { x: y, w: x });
    expect([(await host(engine, y)).data[5], (await host(engine, second.y)).data[SIZE - 1]]).toEqual([6, 18]);
    expect((await host(engine, second.y)).shape).toEqual([2, SIZE / 2]);
    expect((await host(engine, second.s)).data[0]).toBe(6 * SIZE);
    expect((await host(engine, x)).data[5]).toBe(3);
    const plain = filled(0);
    await engine.run(product, { x, w }, { y: plain });
    expect(plain.data[7]).toBe(6);
    await engine.dispose();
  });

  it('moves an uploaded value once: what becomes of the host memory afterwards changes nothing', async () => {
    const engine = engineOf();
    const data = filled(3);
    const [x, w] = [engine.upload(data), engine.upload(filled(2))];
    await engine.run(product, { x, w });
    data.data.fill(0);
    expect((await host(engine, (await engine.run(product, { x, w })).y)).data[9]).toBe(6);
    await engine.dispose();
  });

  it('takes frozen matrices of 16 bits, and whole numbers', async () => {
    for (const weights of ['float16', 'bfloat16'] as const) {
      const engine = createEngine(residentExecutor(api!, { threads: 1, provider: 'cpu' }), { weights });
      const { w } = engine.uploadWeights({ w: filled(1.5) }) as { w: never };
      const i = engine.upload(int32([2], [1, 0]));
      const picked = {
        name: `picked ${weights}`,
        compute: ({ w, i }: { w: Tensor; i: Tensor }) => ({ y: ops.mul(ops.gather(w, i as never, 0), 2) }),
      };
      expect((await host(engine, (await engine.run(picked, { w, i })).y)).data[SIZE - 1]).toBe(3);
      expect((await host(engine, w)).data[3]).toBe(1.5);
      await engine.dispose();
    }
  });

  it.each(['written over', 'let go'])(
    'holds its memory flat over 2,000 runs whose results are %s',
    async (how) => {
      const engine = engineOf();
      const upload = () => engine.upload(float32([8 * SIZE], new Float32Array(8 * SIZE).fill(1)));
      const w = upload();
      let [x, y] = [upload(), upload()];
      const resident = async (runs: number): Promise<number> => {
        for (let run = 0; run < runs; run++) {
          await engine.run(product, { x, w }, how === 'let go' ? {} : { y });
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

  it('says what the runtime has against a model', () => {
    const device = new ResidentDevice(api!, { threads: 1, provider: 'cpu' });
    expect(() => device.session(Uint8Array.of(1, 2, 3))).toThrow(/protobuf|parse/i);
  });

  it.skipIf(noCuda === undefined)('says what keeps CUDA from running', () => {
    const device = new ResidentDevice(api!, { threads: 1, provider: 'cuda' });
    expect(() => device.session(Uint8Array.of(1, 2, 3))).toThrow(/CUDA|providers_shared/);
  });
});
