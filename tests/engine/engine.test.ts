import { afterEach, describe, expect, test } from 'vitest';
import {
  createEngine,
  float32,
  onnxruntimeExecutor,
  ops,
  tfjsExecutor,
  type Engine,
  type HostTensor,
  type Tensor,
} from '../../engine/index.js';

const scaled = {
  name: 'scaled',
  compute: ({ x, factor }: { x: Tensor; factor: Tensor }) => ({ y: ops.mul(ops.exp(x), factor) }),
};
const powers = {
  name: 'powers',
  compute: ({ base, exponent }: { base: Tensor; exponent: Tensor }) => ({
    y: ops.mul(ops.exp(ops.matMul(ops.reshape(base, [2, 1]), ops.reshape(base, [1, 2]))), exponent),
  }),
};
const scalar = (value: number): HostTensor => float32([], [value]);
let engine: Engine;
afterEach(() => engine.dispose());

describe.each([
  ['onnxruntime', () => onnxruntimeExecutor({ threads: 1 })],
  ['tfjs', () => tfjsExecutor()],
])('engine on %s', (_, executor) => {
  test('compiles once per shapes, and a changed value changes the result without compiling again', async () => {
    engine = createEngine(executor());
    const run = async (shape: number[], factor: number): Promise<number> => {
      const { y } = await engine.run(scaled, { x: float32(shape), factor: scalar(factor) });
      return (await engine.download(y)).data[0] as number;
    };
    expect(await run([4], 2)).toBe(2);
    expect(await run([4], 5)).toBe(5);
    expect(engine.stats()).toMatchObject({ compilations: 1, hits: 1 });
    expect(await run([8], 5)).toBe(5);
    expect(engine.stats()).toMatchObject({ compilations: 2, hits: 1 });
  });

  test('writes results where it is told to, and never over an argument', async () => {
    engine = createEngine(executor());
    const x = float32([2], [0, 0]);
    const y = float32([2]);
    const results = await engine.run(scaled, { x, factor: scalar(3) }, { y });
    expect(results.y).toBe(y);
    expect([...y.data]).toEqual([3, 3]);
    await expect(engine.run(scaled, { x, factor: scalar(3) }, { y: x })).rejects.toMatchObject({
      code: 'ENGINE_ALIAS',
    });
  });

  test('a loop gives what runs give, for each loop with its own fixed arguments, even in turns', async () => {
    engine = createEngine(executor());
    const loops = [2, 3].map((factor) =>
      engine.loop<{ base: Tensor }, { exponent: Tensor }, { y: Tensor }>(powers, {
        base: float32([2], [factor, 1]),
      }),
    );
    for (const exponent of [1, 2, 3])
      for (const [at, loop] of loops.entries()) {
        const { y } = await loop.run({ exponent: scalar(exponent) });
        const plain = await engine.run(powers, {
          base: float32([2], [2 + at, 1]),
          exponent: scalar(exponent),
        });
        expect([...(await engine.download(y)).data]).toEqual([...(await engine.download(plain.y)).data]);
      }
    expect(engine.stats()).toMatchObject({ compilations: 2 });
  });

  test('names a missing argument', async () => {
    engine = createEngine(executor());
    const args = { x: float32([2]) } as unknown as { x: HostTensor; factor: HostTensor };
    await expect(engine.run(scaled, args)).rejects.toThrow();
  });
});

describe('engine', () => {
  test('a loop computes what does not change once, and again after another loop of the same shapes', async () => {
    const executor = onnxruntimeExecutor({ threads: 1 });
    let begun = 0;
    engine = createEngine({
      ...executor,
      compileLoop: async (...args) => {
        const { once, each } = await executor.compileLoop(...args);
        return { once: { ...once!, run: (...given) => (begun++, once!.run(...given)) }, each };
      },
    });
    const [first, second] = [1, 2].map((value) =>
      engine.loop<{ base: Tensor }, { exponent: Tensor }, { y: Tensor }>(powers, {
        base: float32([2], [value, 0]),
      }),
    );
    for (const loop of [first, first, first, second, second, first]) await loop!.run({ exponent: scalar(1) });
    expect(begun).toBe(3);
  });

  test('evicts the least recently used program when the bytes are spent', async () => {
    engine = createEngine(onnxruntimeExecutor({ threads: 1 }), { cacheBytes: 1 });
    for (const size of [1, 2, 3, 1]) await engine.run(scaled, { x: float32([size]), factor: scalar(1) });
    expect(engine.stats()).toMatchObject({ compilations: 4, hits: 0, evictions: 3, live: 1 });
  });

  test('runs of one engine take turns, so that results never mix', async () => {
    engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
    const factors = [1, 2, 3, 4, 5];
    const results = await Promise.all(
      factors.map((factor) => engine.run(scaled, { x: float32([1]), factor: scalar(factor) })),
    );
    expect(results.map(({ y }) => (y as HostTensor).data[0])).toEqual(factors);
  });

  test('sessions made and released again and again keep memory flat', async () => {
    engine = createEngine(onnxruntimeExecutor({ threads: 1 }), { cacheBytes: 1 });
    const wide = {
      name: 'wide',
      compute: ({ x, factor }: { x: Tensor; factor: Tensor }) => ({
        y: ops.sum(ops.mul(ops.exp(ops.matMul(x, x, true)), factor)),
      }),
    };
    const cycle = async (times: number): Promise<number> => {
      for (let index = 0; index < times; index++)
        await engine.run(wide, { x: float32([64 + (index % 2), 700]), factor: scalar(1) });
      return process.memoryUsage.rss() / 2 ** 20;
    };
    const warm = await cycle(10);
    const later = await cycle(40);
    // Forty cycles of a 2 MB arena each would show as 80 MB and more.
    expect(later - warm).toBeLessThan(60);
  });
});
