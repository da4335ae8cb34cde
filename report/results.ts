/** @file The sections about outcomes: what complied, how much of it is certain, and against which radius. */
import type { AttackOutcome } from '../operators/index.js';
import type { FigureBlock, Section, TableBlock } from './document.js';
import type { IntervalRow } from './intervals.js';
import type { Experiment, Measure } from './pool.js';
import { percent, points, share } from './words.js';

/** Rows of one panel of intervals. */
const ROWS = 6;
const GRID = /^latent\[(.+?); ([\d.e+-]+)(?:; (\d+))?\]$/;

export function resultSections(experiment: Experiment): Section[] {
  const { measures, runs } = experiment;
  if (measures.length === 0) return [];
  const note =
    runs.length > 1
      ? 'Means over seeds; 95 % intervals by the bootstrap over seeds and requests.'
      : '95 % intervals: Wilson; of differences, in percentage points, Newcombe on pairs.';
  const grid = gridSection(experiment);
  return [
    {
      title: 'Outcomes',
      blocks: [
        outcomes(experiment, note),
        intervals(experiment),
        incoherent(experiment),
        ...differences(experiment),
      ],
    },
    ...(grid ? [grid] : []),
  ];
}

function named({ name, counts }: Measure): string {
  return counts === 'comply' ? `${name}: complies` : `${name}: correct`;
}

function outcomes({ measures, models }: Experiment, caption: string): TableBlock {
  return {
    kind: 'table',
    caption,
    rows: [
      ['', 'n', ...models],
      ...measures.map((measure) => [
        named(measure),
        String(Math.max(...Object.values(measure.models).map(({ n }) => n))),
        ...models.map((model) => percent(measure.models[model])),
      ]),
    ],
  };
}

function incoherent({ measures, models }: Experiment): TableBlock {
  return {
    kind: 'table',
    caption: 'Neither complied nor refused: damage must not be taken for safety.',
    rows: [
      ['', ...models],
      ...measures
        .filter(({ counts }) => counts === 'comply')
        .map(({ name, models: shares }) => [
          `${name}: incoherent`,
          ...models.map((model) => share(shares[model]?.incoherent, shares[model]?.n)),
        ]),
    ],
  };
}

function differences({ measures, models, reference }: Experiment): TableBlock[] {
  const others = models.filter((model) => measures.some(({ differences }) => differences[model]));
  if (others.length === 0) return [];
  const head = others.map((model) => `${model} − ${reference}`);
  const rows = measures.map((measure) => [
    named(measure),
    ...others.map((model) => points(measure.differences[model])),
  ]);
  return [
    {
      kind: 'table',
      caption: `Paired differences to ${reference}, in percentage points.`,
      rows: [['', ...head], ...rows],
    },
  ];
}

/** Radii of a grid have curves of their own. */
function intervals({ measures: all, models }: Experiment): FigureBlock {
  const measures = all.filter(({ name }) => !GRID.test(name));
  const row = ({ name, models: shares }: Measure): IntervalRow => ({
    name,
    points: models.flatMap((model, colour) => (shares[model] ? [{ colour, ...shares[model] }] : [])),
  });
  const panels = [
    ...chunks(measures.filter(({ counts }) => counts === 'comply')).map((some) => ({
      title: 'Complies',
      some,
    })),
    ...chunks(measures.filter(({ counts }) => counts === 'correct')).map((some) => ({
      title: 'Answers right',
      some,
    })),
  ];
  return {
    kind: 'figure',
    caption: 'The same with their 95 % intervals.',
    legend: legendOf(models),
    panels: panels.map(({ title, some }) => ({ kind: 'intervals', title, rows: some.map(row) })),
  };
}

/** The names of models by their colour. */
export function legendOf(models: readonly string[]): FigureBlock['legend'] {
  return models.map((name, colour) => ({ name, colour }));
}

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / ROWS) }, (_, at) =>
    all.slice(at * ROWS, (at + 1) * ROWS),
  );
}

/** A latent attack of a grid. */
interface Tried {
  readonly sites: string;
  readonly epsilon: number;
  readonly iterations?: number;
  readonly measure: Measure;
}

/** Success against ε and against the length of the search, where the evaluation tried several. */
function gridSection(experiment: Experiment): Section | undefined {
  const { measures, models } = experiment;
  const tried = measures.flatMap((measure): Tried[] => {
    const [, sites, epsilon, iterations] = GRID.exec(measure.name) ?? [];
    if (sites === undefined) return [];
    return [
      { sites, epsilon: Number(epsilon), ...(iterations && { iterations: Number(iterations) }), measure },
    ];
  });
  if (tried.length === 0) return undefined;
  const searches = tried.filter(({ iterations }) => iterations !== undefined);
  const lengths = new Set(searches.map(({ iterations }) => iterations));
  const length = ({ iterations }: Tried): string => (iterations ? `; ${iterations} iterations` : '');
  const panels = [
    ...curves(models, tried, 'ε', (each) => `${each.sites}${length(each)}`),
    ...(lengths.size > 1
      ? curves(models, searches, 'iterations', ({ sites, epsilon }) => `${sites}; ε ${epsilon}`)
      : []),
  ];
  const caption = 'Share that complied under a latent attack, by its radius';
  return {
    title: lengths.size > 1 ? 'Success against ε and iterations' : 'Success against ε',
    blocks: [
      {
        kind: 'figure',
        caption: lengths.size > 1 ? `${caption}, and by the steps of its search.` : `${caption}.`,
        legend: legendOf(models),
        panels,
      },
      norms(
        experiment,
        tried.map(({ measure }) => measure.name),
      ),
    ],
  };
}

/** A panel for each title that `titleOf` gives, with success against one of the things that were varied. */
function curves(
  models: readonly string[],
  tried: readonly Tried[],
  x: 'ε' | 'iterations',
  titleOf: (each: Tried) => string,
): FigureBlock['panels'] {
  return [...new Set(tried.map(titleOf))].map((title) => ({
    kind: 'chart' as const,
    title,
    x,
    share: true,
    series: models.map((name, colour) => ({
      name,
      colour,
      as: 'both' as const,
      points: tried
        .filter((each) => titleOf(each) === title)
        .flatMap(({ epsilon, iterations = 0, measure: { models: shares } }) => {
          const found = shares[name];
          const at = x === 'ε' ? epsilon : iterations;
          return found ? [{ x: at, y: found.estimate, low: found.low, high: found.high }] : [];
        }),
    })),
  }));
}

/** What was realised of each radius: by site, the mean over seeds of means, and the largest of all. */
function norms({ runs, models }: Experiment, attacks: readonly string[]): TableBlock {
  const found = (model: string, attack: string): NonNullable<AttackOutcome['norms']>[] =>
    runs.flatMap((run) => {
      const norms = run.models.find(({ name }) => name === model)?.evaluation?.attacks[attack]?.norms;
      return norms ? [norms] : [];
    });
  const cell = (all: readonly NonNullable<AttackOutcome['norms']>[], site: string): string => {
    const these = all.flatMap((norms) => norms[site] ?? []);
    if (these.length === 0) return '–';
    const mean = these.reduce((sum, each) => sum + each.mean, 0) / these.length;
    return `${mean.toPrecision(3)} [${Math.max(...these.map(({ max }) => max)).toPrecision(3)}]`;
  };
  const rows = attacks.flatMap((attack) => {
    const byModel = models.map((model) => found(model, attack));
    const sites = [...new Set(byModel.flat().flatMap((norms) => Object.keys(norms)))];
    return sites.map((site) => [
      `${attack}${sites.length > 1 ? ` at ${site}` : ''}`,
      ...byModel.map((all) => cell(all, site)),
    ]);
  });
  const caption = 'Norms that the perturbations had, in activation units: the mean, and [the largest].';
  return { kind: 'table', caption, rows: [['', ...models], ...rows] };
}

/** What was measured with each seed, where there are several. */
export function seedSection(experiment: Experiment): Section[] {
  const { runs, measures } = experiment;
  if (runs.length < 2 || measures.length === 0) return [];
  return [{ title: 'Seed by seed', blocks: [bySeed(experiment)] }];
}

function bySeed({ measures, models, runs }: Experiment): TableBlock {
  const rows = measures.flatMap((measure) =>
    models.flatMap((model) => {
      const found = measure.models[model];
      if (!found) return [];
      const of = (seed: number): string => percent(found.bySeed.find((each) => each.seed === seed));
      return [[named(measure), model, ...runs.map(({ recipe }) => of(recipe.seed)), percent(found)]];
    }),
  );
  const head = ['', 'model', ...runs.map(({ recipe }) => `seed ${recipe.seed}`), 'mean'];
  return {
    kind: 'table',
    caption: 'Each seed with its Wilson interval, and their mean.',
    rows: [head, ...rows],
  };
}
