/** @file A plot shows what it was given: every point where it belongs, text that cannot break it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plot } from '../../bench/plot.js';
import { PANEL } from '../../report/chart.js';

const points = fc
  .array(
    fc.record({ x: fc.integer({ min: 1, max: 5000 }), y: fc.double({ min: 1e-3, max: 100, noNaN: true }) }),
    {
      minLength: 2,
      maxLength: 8,
    },
  )
  .filter((all) => new Set(all.map(({ x }) => x)).size > 1);

const circles = (svg: string): { x: number; y: number }[] =>
  [...svg.matchAll(/<circle cx="([\d.-]+)" cy="([\d.-]+)"/g)].map(([, x, y]) => ({
    x: Number(x),
    y: Number(y),
  }));

describe('plot', () => {
  it('shows every point, those with more to the right and higher up, all inside', () => {
    fc.assert(
      fc.property(points, (given) => {
        const drawn = circles(plot([{ title: 't', x: 'x', y: 'y', points: given }]));
        expect(drawn).toHaveLength(given.length);
        for (const [at, each] of drawn.entries()) {
          expect(each.x).toBeGreaterThanOrEqual(0);
          expect(each.x).toBeLessThanOrEqual(PANEL.width);
          expect(each.y).toBeGreaterThanOrEqual(0);
          expect(each.y).toBeLessThanOrEqual(PANEL.height);
          for (const [other, another] of drawn.entries()) {
            if (given[at]!.x > given[other]!.x) expect(each.x).toBeGreaterThanOrEqual(another.x);
            if (given[at]!.y > given[other]!.y) expect(each.y).toBeLessThanOrEqual(another.y);
          }
        }
      }),
    );
  });

  it('puts ticks at the values that they name', () => {
    const svg = plot([{ title: 't', x: 'x', y: 'y', points: [{ x: 2, y: 1 }, { x: 4, y: 2 }] }]); // prettier-ignore
    const [, x] = /<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">4</.exec(svg) ?? [];
    expect(Number(x)).toBe(circles(svg)[1]?.x);
  });

  it('puts panels beside one another and keeps their text text', () => {
    const panel = { title: 'a < b & c', x: 'x', y: 'y', points: [{ x: 0, y: 0 }, { x: 1, y: 1 }] }; // prettier-ignore
    const svg = plot([panel, panel]);
    expect(svg).toContain('a &lt; b &amp; c');
    expect(svg).toMatch(new RegExp(`translate\\(${PANEL.width + 24} `));
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});
