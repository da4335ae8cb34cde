/** @file Figures of an evaluation that are no outcomes of a request under an attack: the best attacks, perplexity, linear probes, quality. */
import type { Interval } from '../foundation/index.js';
import type { Evaluation, Quality } from '../operators/index.js';
import type { Section } from './document.js';
import type { Experiment } from './pool.js';
import { number, percent } from './words.js';

/** One figure of one model. */
export interface Figure {
  readonly name: string;
  /** What it is counted over: requests, rows, questions. */
  readonly n: number;
  readonly value: Interval;
  readonly as: 'share' | 'number';
  /** Which of several things it is the figure of. */
  readonly which?: string;
}

export function figuresOf({
  attacks,
  strongest = [],
  benign,
  probes = {},
  recall = {},
  quality,
}: Evaluation): Figure[] {
  const [best, ...others] = strongest;
  const n = Object.values(attacks)[0]?.n ?? 0;
  const tables = [...(benign ? [['benign', benign] as const] : []), ...Object.entries(probes)];
  return [
    ...(best ? [shareOf('best single attack', n, best.comply, best.attack)] : []),
    ...others.map(({ attack, comply }, at) => shareOf(`best ${at + 2} attacks`, n, comply, `+ ${attack}`)),
    ...tables.flatMap(([name, { n: rows, likelihood }]): Figure[] =>
      likelihood
        ? [{ name: `${name}: perplexity`, n: rows, value: likelihood.perplexity, as: 'number' }]
        : [],
    ),
    ...Object.entries(recall).map(([name, { n: asked, chance, block, accuracy }]) =>
      shareOf(
        `${name}: linear probe (chance ${(100 * chance).toFixed(0)} %)`,
        asked,
        accuracy,
        `block ${block}:`,
      ),
    ),
    ...(quality ? [scoreOf(quality)] : []),
  ];
}

/** `latent 80.0 % [55.1, 93.0]`, `9.13 [8.20, 10.4]` */
export function figureText(figure: Figure | undefined): string {
  if (!figure) return '–';
  const value = figure.as === 'share' ? percent(figure.value) : number(figure.value);
  return figure.which === undefined ? value : `${figure.which} ${value}`;
}

export function figureSection({ runs, models }: Experiment): Section[] {
  const found = models.map((model) =>
    runs.map((run) => {
      const evaluation = run.models.find(({ name }) => name === model)?.evaluation;
      return evaluation ? figuresOf(evaluation) : [];
    }),
  );
  const names = [...new Set(found.flat(2).map(({ name }) => name))];
  if (names.length === 0) return [];
  const cell = (all: readonly Figure[][], name: string): string =>
    figureText(pooled(all.flatMap((figures) => figures.find((each) => each.name === name) ?? [])));
  const rows = names.map((name) => [name, ...found.map((all) => cell(all, name))]);
  const caption =
    runs.length > 1
      ? 'Means over seeds, [from the least to the greatest].'
      : 'Intervals of 95 %: of shares Wilson, of means the bootstrap over rows.';
  const title = 'Best attacks, perplexity, linear probes, quality';
  return [{ title, blocks: [{ kind: 'table', caption, rows: [['', ...models], ...rows] }] }];
}

/** The mean over seeds, from the least to the greatest; the figure itself where there is one. */
function pooled(figures: readonly Figure[]): Figure | undefined {
  const [first, second] = figures;
  if (!first || !second) return first;
  const estimates = figures.map(({ value }) => value.estimate);
  const named = [...new Set(figures.flatMap(({ which }) => which ?? []))].join(' or ');
  return {
    ...first,
    value: {
      estimate: estimates.reduce((sum, each) => sum + each, 0) / estimates.length,
      low: Math.min(...estimates),
      high: Math.max(...estimates),
    },
    ...(named !== '' && { which: named }),
  };
}

function scoreOf({ n, scale, score }: Quality): Figure {
  return { name: `chat quality, ${scale.join(' to ')}`, n, value: score, as: 'number' };
}

function shareOf(name: string, n: number, value: Interval, which: string): Figure {
  return { name, n, value, as: 'share', which };
}
