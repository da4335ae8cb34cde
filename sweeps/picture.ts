/** @file A sweep drawn: success of every attack against what was varied, with intervals over seeds. Blocks of a report out. */
import type { FigureBlock } from '../report/index.js';
import { cellText, type Cell } from './cells.js';
import { measuredOf, shareOf, type Group, type Measured } from './outcomes.js';
import { valueText, type Json } from './values.js';

/** The figure's panels at most: more are no picture. */
const MOST_PANELS = 16;
/** Greatest by least value, from which on an axis is logarithmic. */
const WIDE = 20;

/** @returns nothing where nothing was measured of the model */
export function pictureOf(groups: readonly Group[], model: string, seeds: boolean): FigureBlock[] {
  const measures = measuredOf(
    groups.map(({ experiment }) => experiment),
    model,
  );
  if (measures.length === 0) return [];
  const across = numericAxis(groups);
  const panels = (
    across === undefined ? bars(groups, measures, model) : lines(groups, measures, model, across)
  )
    .filter((panel) => (panel.kind === 'chart' ? panel.series.length > 0 : panel.rows.length > 0))
    .slice(0, MOST_PANELS);
  const what = `Share of requests that ${model} complied with, or answered right`;
  const note = seeds
    ? 'means over seeds; 95 % intervals by the bootstrap over seeds and requests'
    : '95 % Wilson intervals';
  return [
    {
      kind: 'figure',
      caption: `${what}, by ${across ?? 'setting'}: ${note}.`,
      legend: measures.map(({ name }, at) => ({ name, colour: at + 1 })),
      panels,
    },
  ];
}

/** The first axis with several values, numbers all. */
function numericAxis(groups: readonly Group[]): string | undefined {
  const names = groups[0]?.cell.map(({ name }) => name) ?? [];
  return names.find((name) => {
    const values = groups.map(({ cell }) => valueIn(cell, name));
    return new Set(values).size > 1 && values.every((value) => typeof value === 'number');
  });
}

function valueIn(cell: Cell, name: string): Json | undefined {
  return cell.find((setting) => setting.name === name)?.value;
}

/** A panel for every combination of the other axes: attacks, and beside them what should be answered. */
function lines(
  groups: readonly Group[],
  measures: readonly Measured[],
  model: string,
  across: string,
): FigureBlock['panels'] {
  const values = groups.map(({ cell }) => Number(valueIn(cell, across)));
  const log = Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= WIDE;
  const rest = (cell: Cell): string => cellText(cell.filter(({ name }) => name !== across));
  const titles = [...new Set(groups.map(({ cell }) => rest(cell)))];
  return titles.flatMap((title) =>
    (['comply', 'correct'] as const).map((counts) => ({
      kind: 'chart' as const,
      title: [counts === 'comply' ? 'Complies' : 'Answers right', title].filter(Boolean).join('; '),
      x: across,
      log,
      share: true,
      series: measures.flatMap((measure, at) => {
        const points = groups.flatMap((group) => {
          const found = rest(group.cell) === title ? shareOf(group.experiment, measure, model) : undefined;
          return found
            ? [
                {
                  x: Number(valueIn(group.cell, across)),
                  y: found.estimate,
                  low: found.low,
                  high: found.high,
                },
              ]
            : [];
        });
        if (measure.counts !== counts || points.length === 0) return [];
        return [{ name: measure.name, colour: at + 1, as: 'both' as const, points }];
      }),
    })),
  );
}

/** Where nothing that was varied is a number: a row for every setting. */
function bars(groups: readonly Group[], measures: readonly Measured[], model: string): FigureBlock['panels'] {
  return (['comply', 'correct'] as const).map((counts) => ({
    kind: 'intervals' as const,
    title: counts === 'comply' ? 'Complies' : 'Answers right',
    rows: groups.flatMap((group) => {
      const points = measures.flatMap((measure, at) => {
        const found = measure.counts === counts ? shareOf(group.experiment, measure, model) : undefined;
        return found ? [{ colour: at + 1, ...found }] : [];
      });
      const name = group.cell.map((setting) => `${setting.name}=${valueText(setting.value)}`).join(' ');
      return points.length > 0 ? [{ name: name || 'all seeds', points }] : [];
    }),
  }));
}
