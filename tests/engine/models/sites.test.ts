/** @file Site names, and where a placed perturbation lands. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  int32,
  parseSite,
  perturbing,
  place,
  siteNames,
  siteWidth,
  type Tensor,
} from '../../../engine/index.js';
import { evaluate, gap, noise, tinyConfig } from './tiny.js';

const config = tinyConfig();

describe('parseSite', () => {
  it('takes every name of the list and nothing else', () => {
    const names = siteNames(config);
    expect(names).toHaveLength(1 + 6 * config.layers);
    for (const name of names) {
      const site = parseSite(config, name);
      expect('layer' in site ? `layers.${site.layer}.${site.kind}` : site.kind).toBe(name);
    }
    const stranger = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'layers.2.mlp',
        'layers.-1.mlp',
        'layers.01.mlp',
        'layers.0.o',
        'layers.0.mlp ',
        'embedding.0',
      ),
    );
    fc.assert(
      fc.property(
        stranger.filter((name) => !names.includes(name)),
        (name) => {
          expect(() => parseSite(config, name)).toThrow(expect.objectContaining({ code: 'SITE_UNKNOWN' }));
        },
      ),
    );
  });

  it('says which sites there are', () => {
    expect(() => parseSite(config, 'layers.9.mlp')).toThrow(/embedding.*attention, mlp, residual.*0 to 1/);
  });
});

describe('siteWidth', () => {
  it('is the width of queries, of keys and values, or of the stream', () => {
    const wide = tinyConfig({ head_dim: 6 });
    const width = (name: string) => siteWidth(wide, name);
    expect(['layers.0.q', 'layers.1.k', 'layers.0.v'].map(width)).toEqual([24, 12, 12]);
    expect(['embedding', 'layers.0.mlp', 'layers.1.residual', 'layers.0.attention'].map(width)).toEqual([
      8, 8, 8, 8,
    ]);
  });
});

describe('place', () => {
  const slots = fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 8, maxLength: 8 });

  it('puts the vector of its slot at every token, and nothing where there is none', async () => {
    await fc.assert(
      fc.asyncProperty(slots, fc.nat(1e6), async (chosen, seed) => {
        const delta = noise(seed, [2, 3, 5]);
        const { placed } = await evaluate(
          { delta, slots: int32([2, 4], chosen) },
          (args: { delta: Tensor; slots: Tensor }) => ({ placed: place(args.delta, args.slots) }),
        );
        chosen.forEach((slot, at) => {
          const row = Math.floor(at / 4);
          for (let d = 0; d < 5; d++)
            expect(placed.data[at * 5 + d]).toBe(slot < 0 ? 0 : delta.data[(row * 3 + slot) * 5 + d]);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('perturbs the named sites and returns the others untouched', async () => {
    const x = noise(1, [1, 2, 3]);
    const delta = noise(2, [1, 1, 3]);
    const args = { x, delta, slots: int32([1, 2], [-1, 0]) };
    const result = await evaluate(args, (tensors: Record<'x' | 'delta' | 'slots', Tensor>) => {
      const visit = perturbing({ embedding: tensors.delta }, tensors.slots);
      return { hit: visit('embedding', tensors.x), missed: visit('layers.0.mlp', tensors.x) };
    });
    expect(gap(result.missed, x)).toBe(0);
    expect([...result.hit.data.slice(0, 3)]).toEqual([...x.data.slice(0, 3)]);
    delta.data.forEach((value, d) => expect(result.hit.data[3 + d]).toBeCloseTo(x.data[3 + d]! + value, 6));
  });
});
