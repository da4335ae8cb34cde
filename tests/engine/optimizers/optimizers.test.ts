/** @file AdamW, clipping, the ball and schedules against their definitions in double precision. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  adamwInit,
  adamwScalars,
  adamwUpdate,
  clipByGlobalNorm,
  float32,
  projectToBall,
  scheduleFactor,
  tokenNorms,
  type HostTensor,
  type Moments,
  type Tensor,
} from '../../../engine/index.js';
import { evaluate, noise } from '../models/tiny.js';

const rate = (max: number) => fc.double({ min: 0, max, noNaN: true });
const adamwConfig = fc.record({
  learningRate: fc.double({ min: 1e-4, max: 0.1, noNaN: true }),
  betas: fc.tuple(rate(0.95), rate(0.999)),
  adamEpsilon: fc.constantFrom(1e-8, 1e-6, 1e-3),
  weightDecay: rate(0.5),
});

describe('adamwUpdate', () => {
  it('follows torch.optim.AdamW over several steps, for every tensor that has a gradient', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), adamwConfig, async (seed, config) => {
        let parameters = { a: noise(seed, [3]), frozen: noise(seed, [2]) };
        let moments: Moments<HostTensor> = adamwInit({ a: parameters.a });
        const reference = Array.from(parameters.a.data, (value) => ({ value, first: 0, second: 0 }));
        const [beta1, beta2] = config.betas;
        for (let step = 1; step <= 4; step++) {
          const gradients = { a: noise(seed + step, [3]) };
          const result = await evaluate(
            { parameters, gradients, moments: moments as never, scalars: adamwScalars(step, config) },
            (
              args: Parameters<typeof adamwUpdate> extends [infer P, infer G, infer M, infer S]
                ? { parameters: P; gradients: G; moments: M; scalars: S }
                : never,
            ) => {
              const updated = adamwUpdate(args.parameters, args.gradients, args.moments, args.scalars);
              expect(Object.keys(updated.parameters)).toEqual(['a']);
              return {
                a: updated.parameters['a']!,
                first: updated.moments.first['a']!,
                second: updated.moments.second['a']!,
              };
            },
          );
          parameters = { ...parameters, a: result.a };
          moments = { first: { a: result.first }, second: { a: result.second } };
          reference.forEach((each, index) => {
            const gradient = gradients.a.data[index]!;
            each.value *= 1 - config.learningRate * config.weightDecay;
            each.first = beta1 * each.first + (1 - beta1) * gradient;
            each.second = beta2 * each.second + (1 - beta2) * gradient ** 2;
            const size = Math.sqrt(each.second) / Math.sqrt(1 - beta2 ** step) + config.adamEpsilon;
            each.value -= ((config.learningRate / (1 - beta1 ** step)) * each.first) / size;
          });
          reference.forEach(({ value }, index) =>
            expect(Math.abs(parameters.a.data[index]! - value)).toBeLessThan(
              1e-5 * Math.max(1, Math.abs(value)),
            ),
          );
        }
      }),
      { numRuns: 25 },
    );
  });
});

const clipped = (tensors: Record<string, HostTensor>, maxNorm: number) =>
  evaluate(
    { tensors, maxNorm: float32([], [maxNorm]) },
    (args: { tensors: Record<string, Tensor>; maxNorm: Tensor }) => {
      const { gradients, norm } = clipByGlobalNorm(args.tensors, args.maxNorm);
      return { ...gradients, norm };
    },
  ) as Promise<Record<string, HostTensor>>;

describe('clipByGlobalNorm', () => {
  it('scales all tensors alike, to the bound if they are above it and not at all below', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.double({ min: 0.01, max: 10, noNaN: true }), async (seed, bound) => {
        const tensors = { a: noise(seed, [2, 2]), b: noise(seed + 1, [3]) };
        const all = [...tensors.a.data, ...tensors.b.data];
        const norm = Math.hypot(...all);
        const result = await clipped(tensors, bound);
        expect(result['norm']!.data[0]).toBeCloseTo(norm, 4);
        const factor = Math.min(1, bound / (norm + 1e-6));
        [...result['a']!.data, ...result['b']!.data].forEach((value, index) =>
          expect(Math.abs(value - all[index]! * factor)).toBeLessThan(1e-5),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('leaves zeros alone', async () => {
    const { a, norm } = await clipped({ a: float32([3]) }, 1);
    expect([...a!.data, norm!.data[0]]).toEqual([0, 0, 0, 0]);
  });
});

const projected = (delta: HostTensor, epsilon: number) =>
  evaluate({ delta, epsilon: float32([], [epsilon]) }, (args: Record<'delta' | 'epsilon', Tensor>) => {
    const once = projectToBall(args.delta, args.epsilon);
    return { once, twice: projectToBall(once, args.epsilon), norms: tokenNorms(once) };
  });

describe('projectToBall', () => {
  const epsilon = fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 20, noNaN: true }));
  const deviation = fc.constantFrom(0, 1e-6, 0.1, 1, 100, 1e6);

  it('no vector leaves the ball; inside not one bit changes; outside only the length does; twice is once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), deviation, epsilon, async (seed, size, bound) => {
        const delta = noise(seed, [2, 3, 4], size);
        const { once, twice, norms } = await projected(delta, bound);
        for (let token = 0; token < 6; token++) {
          const before = Array.from(delta.data.slice(token * 4, token * 4 + 4));
          const after = Array.from(once.data.slice(token * 4, token * 4 + 4));
          const again = Array.from(twice.data.slice(token * 4, token * 4 + 4));
          const norm = Math.hypot(...before);
          expect(Math.hypot(...after)).toBeLessThanOrEqual(bound * (1 + 1e-5));
          expect(Math.abs(norms.data[token]! - Math.hypot(...after))).toBeLessThanOrEqual(1e-5 * bound);
          if (norm < bound * (1 - 1e-5)) expect(after).toEqual(before);
          const factor = norm > bound ? bound / norm : 1;
          after.forEach((value, index) => {
            expect(Math.abs(value - before[index]! * factor)).toBeLessThanOrEqual(1e-5 * bound);
            expect(Math.abs(value - again[index]!)).toBeLessThanOrEqual(1e-6 * bound);
          });
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('scheduleFactor', () => {
  it('rises through the warm-up, never leaves [0, 1], and ends at 0 unless it is constant', () => {
    const kind = fc.constantFrom('constant' as const, 'cosine' as const, 'linear' as const);
    fc.assert(
      fc.property(
        kind,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 200 }),
        (chosen, warmup, after) => {
          const steps = warmup + after;
          const factors = Array.from({ length: steps + 3 }, (_, step) =>
            scheduleFactor(step, steps, { kind: chosen, warmup }),
          );
          expect(factors.every((factor) => factor >= 0 && factor <= 1)).toBe(true);
          expect(factors.slice(0, warmup)).toEqual(factors.slice(0, warmup).map((_, step) => step / warmup));
          expect(factors[warmup]).toBe(1);
          factors
            .slice(warmup + 1)
            .forEach((factor, index) => expect(factor).toBeLessThanOrEqual(factors[warmup + index]!));
          expect(factors.at(-1)).toBeCloseTo(chosen === 'constant' ? 1 : 0, 12);
        },
      ),
    );
  });

  it('is half at half time, and starts full without warm-up', () => {
    for (const kind of ['cosine', 'linear'] as const) {
      expect(scheduleFactor(50, 100, { kind, warmup: 0 })).toBeCloseTo(0.5, 12);
      expect(scheduleFactor(0, 100, { kind, warmup: 0 })).toBe(1);
    }
    expect(scheduleFactor(25, 100, { kind: 'cosine', warmup: 0 })).toBeCloseTo(0.5 + Math.SQRT1_2 / 2, 12);
  });
});
