/** @file Drawings of intervals: whole within their edges. */
import { describe, expect, it } from 'vitest';
import { intervalChart } from '../../report/intervals.js';

/** Of a character of 11 px in the widest of the usual fonts, DejaVu Sans, on average. */
const CHARACTER = 6.8;

describe('intervalChart', () => {
  it('names both ends of its axis within its edges', () => {
    const point = (estimate: number) => ({ colour: 1, estimate, low: estimate, high: estimate });
    const drawn = intervalChart({
      title: 'Complies',
      rows: [{ name: 'epsilon=1', points: [point(0), point(1)] }],
    });
    const width = Number(/ width="([\d.]+)"/.exec(drawn)?.[1]);
    const ticks = [...drawn.matchAll(/<text x="([\d.]+)"[^>]*text-anchor="middle">([^<]*)</g)];
    expect(ticks.map(([, , text]) => text)).toEqual(['0 %', '20 %', '40 %', '60 %', '80 %', '100 %']);
    for (const [, x = '', text = ''] of ticks) {
      const half = (CHARACTER * text.length) / 2;
      expect(Number(x) - half, text).toBeGreaterThanOrEqual(0);
      expect(Number(x) + half, text).toBeLessThanOrEqual(width);
    }
  });
});
