/** @file The streams that recipes have, drawn from what they say. */
import { describe, expect, it } from 'vitest';
import { describeRecipe, loadRecipe, RECIPES, type StreamGraph } from '../../recipes/index.js';

const ids = ({ nodes }: StreamGraph): string[] => nodes.map(({ id }) => id);

describe('the graph of a run', () => {
  it('has the parts that an arm has, and no others', async () => {
    const { graphs } = describeRecipe(await loadRecipe('r2d2'));
    const data = ['pairs', 'benign', 'tokenize', 'batch', 'model'];
    const outputs = ['defend', 'evaluate', 'checkpoint', 'metrics'];
    expect(ids(graphs['lat']!)).toEqual([...data, 'attack', ...outputs]);
    expect(ids(graphs['r2d2']!)).toEqual([...data, 'search', ...outputs]);
  });

  it('tells the datasets of a mixture apart, as they are counted', async () => {
    const mixture =
      'data.pairs=[{"path":"a/x.parquet","columns":{}},{"path":["b/y.csv","b/z.csv"],"columns":{},"weight":3}]';
    const { graphs } = describeRecipe(await loadRecipe('tiny', { set: [mixture] }));
    expect(graphs['lat']?.nodes.slice(0, 2)).toEqual([
      { id: 'pairs-0', title: 'x.parquet', detail: 'pairs, weight 1' },
      { id: 'pairs-1', title: 'y.csv and 1 more', detail: 'pairs, weight 3' },
    ]);
  });

  it('hangs together in every recipe: edges join parts, data reach all of them, and do not go in circles', () => {
    for (const [name, make] of Object.entries(RECIPES))
      for (const [arm, { nodes, edges }] of Object.entries(describeRecipe(make()).graphs)) {
        const place = new Map(nodes.map(({ id }, at) => [id, at]));
        expect(place.size, `${name}/${arm}`).toBe(nodes.length);
        const reached = new Set(
          nodes.filter(({ id }) => /^(pairs|desired|benign)/.test(id)).map(({ id }) => id),
        );
        for (const { from, to, back } of edges) {
          expect(place.has(from) && place.has(to), `${name}/${arm}: ${from} to ${to}`).toBe(true);
          if (back) continue;
          expect(place.get(from)).toBeLessThan(place.get(to)!);
          reached.add(to);
        }
        expect(reached.size, `${name}/${arm}`).toBe(nodes.length);
      }
  });
});
