/** @file Laws of the decoder: what a row's arrangement may not change, and what its hooks see. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hiddenStates,
  int32,
  logitsAt,
  ops,
  perturbing,
  siteNames,
  siteWidth,
  valueAndGradients,
  type HostTensor,
  type Model,
  type Tensor,
  type TokenBatch,
  type Visit,
} from '../../../engine/index.js';
import { batchOf, evaluate, FAMILIES, gap, noise, tinyModel } from './tiny.js';

type Token = readonly [number, number, number];
type Args = { parameters: Record<string, Tensor>; batch: TokenBatch; index: Tensor };

const PAD: Token = [0, 0, 0];
const prompt = (tokens: readonly number[]): Token[] => tokens.map((token, position) => [token, position, 1]);
const completion = (tokens: readonly number[], after: number, segment: number): Token[] =>
  tokens.map((token, offset) => [token, after + offset, segment]);

async function logits(
  { config, parameters }: Model,
  rows: readonly (readonly Token[])[],
  index: readonly number[],
  visit?: Visit,
): Promise<HostTensor> {
  const args = { parameters, batch: batchOf(rows), index: int32([index.length], index) };
  const { out } = await evaluate(args, (tensors: Args) => ({
    out: logitsAt(
      config,
      tensors.parameters,
      hiddenStates({ config }, { parameters: tensors.parameters }, tensors.batch, visit),
      tensors.index,
    ),
  }));
  return out;
}

const tokens = fc.array(fc.nat(10), { minLength: 1, maxLength: 4 });
const range = (start: number, count: number) => Array.from({ length: count }, (_, offset) => start + offset);
const variants = fc.constantFrom(
  ...Object.values(FAMILIES),
  { tie_word_embeddings: true },
  { attention_bias: true, mlp_bias: true },
  { num_key_value_heads: 4 },
  { num_key_value_heads: 1 },
);

describe('hiddenStates', () => {
  it('a packed row computes what separate rows compute', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(99), variants, tokens, tokens, tokens, async (seed, variant, p, a, c) => {
        const model = tinyModel(seed, variant);
        const end = p.length;
        const packed = [...prompt(p), ...completion(a, end, 2), ...completion(c, end, 3)];
        const all = await logits(model, [packed], range(0, packed.length));
        const first = await logits(model, [prompt([...p, ...a])], range(0, end + a.length));
        const second = await logits(model, [prompt([...p, ...c])], range(end, c.length));
        expect(gap({ ...all, data: all.data.slice(0, first.data.length) }, first)).toBeLessThan(1e-5);
        expect(gap({ ...all, data: all.data.slice(first.data.length) }, second)).toBeLessThan(1e-5);
      }),
      { numRuns: 30 },
    );
  });

  it('padding on either side and in between changes nothing', async () => {
    const gaps = fc.array(fc.nat(2), { minLength: 5, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.nat(99), variants, tokens, gaps, async (seed, variant, p, holes) => {
        const model = tinyModel(seed, variant);
        const kept: number[] = [];
        const row: Token[] = [];
        prompt(p).forEach((token, at) => {
          for (let hole = 0; hole < holes[at]!; hole++) row.push(PAD);
          kept.push(row.length);
          row.push(token);
        });
        for (let hole = 0; hole < holes[4]!; hole++) row.push(PAD);
        const plain = await logits(model, [prompt(p)], range(0, p.length));
        expect(gap(await logits(model, [row], kept), plain)).toBeLessThan(1e-5);
      }),
      { numRuns: 30 },
    );
  });

  it('the order of columns changes nothing: only positions and segments count', async () => {
    const shuffled = fc.array(fc.nat(10), { minLength: 5, maxLength: 5 }).chain((ids) =>
      fc.record({
        ids: fc.constant(ids),
        order: fc.shuffledSubarray(range(0, 5), { minLength: 5, maxLength: 5 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(99), shuffled, async (seed, { ids, order }) => {
        const model = tinyModel(seed);
        const plain = prompt(ids);
        const back = range(0, 5).map((column) => order.indexOf(column));
        const mixed = await logits(model, [order.map((column) => plain[column]!)], back);
        expect(gap(mixed, await logits(model, [plain], range(0, 5)))).toBeLessThan(1e-5);
      }),
      { numRuns: 15 },
    );
  });

  it.each(Object.entries(FAMILIES))(
    '%s visits every site once, in order, at its width',
    async (_, family) => {
      const model = tinyModel(1, family);
      const seen: [string, number[]][] = [];
      await logits(model, [prompt([1, 2, 3])], [0], (site, x) => {
        seen.push([site, x.shape]);
        return x;
      });
      expect(seen).toEqual(
        siteNames(model.config).map((site) => [site, [1, 3, siteWidth(model.config, site)]]),
      );
    },
  );

  it.each(Object.entries(FAMILIES))(
    'every site of %s reaches the last logits, and a later token reaches no earlier one',
    async (_, family) => {
      const model = tinyModel(2, family);
      const row = prompt([1, 2, 3, 4]);
      const plain = await logits(model, [row], [1, 3]);
      for (const site of siteNames(model.config)) {
        const width = siteWidth(model.config, site);
        const changed = await logits(model, [row], [1, 3], (at, x) => {
          if (at !== site) return x;
          const delta = ops.tensor1d(noise(7, [width]).data as Float32Array);
          return ops.add(x, ops.mul(ops.reshape(ops.tensor1d([0, 0, 1, 1]), [1, 4, 1]), delta));
        });
        const part = (tensor: HostTensor, which: number) => ({
          ...tensor,
          data: tensor.data.slice(which * 11, (which + 1) * 11),
        });
        expect(gap(part(changed, 0), part(plain, 0)), site).toBe(0);
        expect(gap(part(changed, 1), part(plain, 1)), site).toBeGreaterThan(1e-4);
      }
    },
  );

  it.each(Object.entries(FAMILIES))('a perturbation of zero changes nothing in %s', async (_, family) => {
    const model = tinyModel(4, family);
    const row = prompt([1, 2, 3, 4]);
    const visit: Visit = (site, x) =>
      perturbing({ [site]: ops.zerosLike(x) }, ops.tensor2d([0, 1, 2, 3], [1, 4], 'int32'))(site, x);
    expect(gap(await logits(model, [row], [0, 3], visit), await logits(model, [row], [0, 3]))).toBe(0);
  });

  it.each([
    ...Object.entries(FAMILIES).map(([name, family]) => [name, family] as const),
    ['biased', { attention_bias: true, mlp_bias: true }] as const,
  ])('every parameter of %s gets a gradient, by finite differences', async (_, family) => {
    const single = { num_hidden_layers: 1, attention_types: [[['local'], 1]] };
    const { config, parameters } = tinyModel(3, { ...family, ...single });
    const batch = batchOf([prompt([1, 5, 3])]);
    const loss = (args: { parameters: Record<string, Tensor>; batch: TokenBatch }): Tensor =>
      ops.mean(
        ops.square(
          logitsAt(
            config,
            args.parameters,
            hiddenStates({ config }, { parameters: args.parameters }, args.batch),
          ),
        ),
      );
    const result = (await evaluate(
      { parameters, batch },
      (args: Args) =>
        valueAndGradients(
          (inputs) => ({ loss: loss({ ...args, parameters: inputs }), aux: {} }),
          args.parameters,
        ).gradients,
    )) as Record<string, HostTensor>;
    for (const [name, gradient] of Object.entries(result)) {
      const along = gradient.data as Float32Array;
      const length = Math.hypot(...along);
      const moved = async (step: number): Promise<number> => {
        const tensor = parameters[name]!;
        const data = Float32Array.from(
          tensor.data,
          (value, index) => value + (step * along[index]!) / length,
        );
        const shifted = { ...parameters, [name]: { ...tensor, data } };
        return (await evaluate({ parameters: shifted, batch }, (args: Args) => ({ loss: loss(args) }))).loss
          .data[0]!;
      };
      const slope = ((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2;
      expect(Math.abs(slope - length) / Math.max(1e-2, length), name).toBeLessThan(2e-2);
    }
  });

  it('names the parameter that is missing', async () => {
    const model = tinyModel(1);
    const { 'model.norm.weight': _, ...rest } = model.parameters;
    await expect(logits({ ...model, parameters: rest }, [prompt([1])], [0])).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_MISSING_PARAMETER' }),
    );
  });
});
