/** @file What a sweep came to: tables, their order, means over seeds, the picture and CSV, of made-up outcomes. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tiny } from '../../recipes/tiny.js';
import { markdownOf, type FigureBlock } from '../../report/index.js';
import { axesOf } from '../../sweeps/axis.js';
import { cellsOf } from '../../sweeps/cells.js';
import { csvOf } from '../../sweeps/csv.js';
import { documentOf } from '../../sweeps/document.js';
import { orderOf } from '../../sweeps/order.js';
import { armsOf, groupsOf } from '../../sweeps/outcomes.js';
import { planOf } from '../../sweeps/plan.js';
import type { Standing } from '../../sweeps/queue.js';
import { cellTable, checkOrder, groupTable } from '../../sweeps/table.js';
import { evaluated, REQUESTS } from './made-up.js';

function standingsOf(grid: readonly string[], done: (at: number) => boolean = () => true): Standing[] {
  const { cells } = planOf('s', tiny(), cellsOf(axesOf(grid), { zip: [], most: 1000 }));
  return cells.map((planned, at) => ({
    ...planned,
    models: done(at) ? ['base', 'lat'].map((name) => ({ name, evaluation: evaluated(planned.cell) })) : [],
  }));
}

const column = (rows: readonly string[][], name: string): string[] => {
  const at = rows[0]!.indexOf(name);
  return rows.slice(1).map((row) => row[at]!);
};

const documented = (standings: readonly Standing[]) => documentOf('s', 'about', standings, armsOf(standings));

function figure(standings: readonly Standing[]): FigureBlock {
  const block = documented(standings).experiments[0]!.sections[0]!.blocks[0]!;
  if (block.kind !== 'figure') throw new Error(block.kind);
  return block;
}

describe('the table of cells', () => {
  it('sorts by settings and figures, either way, and puts what has none last', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
        fc.boolean(),
        (done, descending) => {
          const standings = standingsOf(['epsilon=0.1,1,5', 'seed=0..2'], (at) => done[at]!);
          const rows = cellTable(standings, 'lat', { by: 'latent', descending });
          const sorted = cellTable(standings, 'lat');
          expect([...rows].sort()).toEqual([...sorted].sort());
          const figures = column(rows, 'latent: complies').map((text) =>
            text ? parseFloat(text) : undefined,
          );
          const known = figures.filter((each) => each !== undefined);
          expect(figures.slice(0, known.length)).toEqual(
            known.toSorted((a, b) => (descending ? b - a : a - b)),
          );
        },
      ),
      { numRuns: 20 },
    );
    const rows = cellTable(standingsOf(['epsilon=2,10,1']), 'lat', orderOf('epsilon:desc'));
    expect(column(rows, 'epsilon')).toEqual(['10', '2', '1']);
  });

  it('says what it can be sorted by, once there is something', () => {
    const order = orderOf('latnet');
    expect(() => checkOrder(standingsOf(['seed=0']), 'lat', order)).toThrow(/did you mean latent/);
    checkOrder(
      standingsOf(['seed=0'], () => false),
      'lat',
      order,
    );
  });
});

describe('means over seeds', () => {
  it('are the means of the seeds that are evaluated, within their intervals', () => {
    const standings = standingsOf(['epsilon=0.1,1', 'seed=0..3'], (at) => at !== 0);
    const groups = groupsOf(standings, 'lat');
    expect(groups.map(({ seeds }) => seeds)).toEqual([3, 4]);
    for (const { experiment } of groups)
      for (const { models } of experiment.measures) {
        const { estimate, low, high, bySeed } = models['lat']!;
        const mean = bySeed.reduce((sum, each) => sum + each.estimate, 0) / bySeed.length;
        expect(estimate).toBeCloseTo(mean, 10);
        expect(low < estimate && estimate < high).toBe(true);
      }
    const rows = groupTable(groups, 'lat', orderOf('latent:desc'));
    expect(rows.map((row) => row.slice(0, 2))).toEqual([
      ['epsilon', 'seeds'],
      ['0.1', '3'],
      ['1', '4'],
    ]);
  });
});

describe('the picture', () => {
  it('has a line for each attack against what was varied, and a panel for every other setting', () => {
    const { panels, legend } = figure(standingsOf(['layers=[0],[1]', 'epsilon=0.1,0.5,1,5', 'seed=0..1']));
    expect(legend.map(({ name }) => name)).toEqual(['direct', 'latent', 'benign']);
    expect(panels.map(({ title }) => title)).toEqual([
      'Complies; layers=[0]',
      'Answers right; layers=[0]',
      'Complies; layers=[1]',
      'Answers right; layers=[1]',
    ]);
    const [first] = panels;
    if (first?.kind !== 'chart') throw new Error('no chart');
    expect(first).toMatchObject({ x: 'epsilon', log: true, share: true });
    expect(first.series.map(({ name, points }) => [name, points.map(({ x }) => x)])).toEqual([
      ['direct', [0.1, 0.5, 1, 5]],
      ['latent', [0.1, 0.5, 1, 5]],
    ]);
  });

  it('has a row for each setting where none is a number', () => {
    const { panels } = figure(standingsOf(['layers=[0],[1],all', 'seed=0..1']));
    const [first] = panels;
    if (first?.kind !== 'intervals') throw new Error('no intervals');
    expect(first.rows.map(({ name }) => name)).toEqual(['layers=[0]', 'layers=[1]', 'layers=all']);
  });

  it('is in the Markdown, with tables of every arm, and is none before anything was evaluated', () => {
    const grid = ['epsilon=0.1,1', 'seed=0..1'];
    const { text, figures } = markdownOf(documented(standingsOf(grid)), 'figures');
    expect([...figures.keys()]).toEqual(['figures/1.svg']);
    expect(text).toContain('| epsilon | seed | state |');
    const early = markdownOf(documented(standingsOf(grid, () => false)), 'figures');
    expect(early.figures.size).toBe(0);
    expect(early.text.match(/missing/g)).toHaveLength(4);
  });
});

describe('CSV', () => {
  it('has a row for each cell and model, and reads back', () => {
    const standings = standingsOf(
      ['attack.sites=[embedding],[embedding,layers.0.residual]', 'seed=0..1'],
      (at) => at > 0,
    );
    const rows = parse<Record<string, string>>(csvOf(standings), { columns: true });
    expect(rows).toHaveLength(1 + 3 * 2);
    expect(rows[0]).toMatchObject({ seed: '0', state: 'missing', model: '', 'latent complies': '' });
    expect(rows.at(-1)).toMatchObject({
      'attack.sites': '["embedding","layers.0.residual"]',
      model: 'lat',
      'latent complies': String(standings[3]!.models[1]!.evaluation.attacks['latent']!.comply.estimate),
      'latent complies n': String(REQUESTS),
    });
  });
});
