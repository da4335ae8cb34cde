/** @file A comparison alternates, pairs what ran side by side, and does without a peer. Sides are fakes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interleave, tokensOf } from '../../bench/compare.js';
import { describe as wording } from '../../bench/report.js';
import { readShapes } from '../../bench/shapes.js';
import type { Side } from '../../bench/side.js';
import { median } from '../../bench/timing.js';

const shapes = readShapes('bench/configs/tiny.json');

function fake(name: string, seconds: readonly number[], order: string[] = []): Side {
  let at = 0;
  return {
    ready: { ready: true, imported_rss_mb: 1, versions: { name } },
    time: async () => {
      order.push(name);
      return { seconds: seconds[at++] as number, peak_rss_mb: 10 * at };
    },
    close: async () => undefined,
  };
}

describe('interleave', () => {
  it('lets the sides take turns at going first', async () => {
    const order: string[] = [];
    const sides = { latstream: fake('ours', [1, 1, 1], order), peer: fake('peer', [2, 2, 2], order) };
    await interleave('x', shapes, sides, 3, 0);
    expect(order).toEqual(['ours', 'peer', 'peer', 'ours', 'ours', 'peer']);
  });

  it('takes the ratio pair by pair, and the largest memory', async () => {
    const sides = { latstream: fake('ours', [1, 4, 3]), peer: fake('peer', [2, 2, 4]) };
    const { ratio, memory_ratio: memory, latstream } = await interleave('x', shapes, sides, 3, 0);
    expect(ratio).toEqual({ median: 0.75, min: 0.5, max: 2 });
    expect([memory, latstream.peak_rss_mb, latstream.seconds]).toEqual([1, 30, 3]);
  });

  it('gives our figures alone, and says so, where there is no peer', async () => {
    const comparison = await interleave('x', shapes, { latstream: fake('ours', [1, 1]) }, 2, 0);
    expect(comparison.ratio).toBeUndefined();
    expect(wording(comparison)).toMatch(/no PyTorch here/);
  });

  it('says where each side ran, and what its device held at most', async () => {
    const side = (on: string, megabytes: readonly number[]): Side => {
      let at = 0;
      return {
        ...fake(on, []),
        ready: { ready: true, imported_rss_mb: 1, versions: {}, on },
        time: async () => ({ seconds: 1, peak_rss_mb: 10, peak_device_mb: megabytes[at++] as number }),
      };
    };
    const peer = side('H200 bf16', [300, 500, 400]);
    const comparison = await interleave('x', shapes, { latstream: fake('ours', [1, 1, 1]), peer }, 3, 0);
    expect(comparison.peer).toMatchObject({ on: 'H200 bf16', peak_device_mb: 500 });
    expect(comparison.latstream).not.toHaveProperty('peak_device_mb');
    expect(wording(comparison)).toMatch(/PyTorch .* 500 MB on the device {2}H200 bf16/);
  });

  it('counts every token of the data once', () => {
    expect(tokensOf(shapes)).toBe(2 * (4 + 3 + 3) + 2 * (4 + 3));
  });
});

describe('median', () => {
  it('has as many values below it as above it', () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(values, (given) => {
        const middle = median(given);
        const below = given.filter((value) => value < middle).length;
        const above = given.filter((value) => value > middle).length;
        return below <= given.length / 2 && above <= given.length / 2;
      }),
    );
  });
});
