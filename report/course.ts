/** @file The section about the course of training: evaluations, losses and norms over steps, and over passes. */
import type { Metric } from '../streams/index.js';
import type { Panel, Point, Series } from './chart.js';
import type { FigureBlock, Section } from './document.js';
import type { Experiment } from './pool.js';
import { legendOf } from './results.js';
import type { ModelRecord } from './run-record.js';

type Kind = keyof ModelRecord['metrics'];
/** What a course is drawn over. */
interface Across {
  readonly name: string;
  readonly log?: boolean;
  readonly of: (metric: Metric, model: ModelRecord) => number;
}

export const STEPS: Across = { name: 'step', of: ({ step }) => step };
/** From attack to attack a step's cost differs by orders of magnitude. */
const PASSES: Across = { name: 'tokens forward and back', log: true, of: tokensUntil };
/** Not losses of an attack or a defence, though recorded among them. */
const NO_LOSS = /^(norm|meanNorm)\/|^(epsilon|gradientNorm|learningRate|firstLoss|cases|resets|meanAge)$/;

export function courseSection(experiment: Experiment): Section[] {
  const over = evaluations(experiment, STEPS);
  const passes = evaluations(experiment, PASSES);
  const figures = [
    figure(experiment, `Evaluations during training, by step${several(experiment)}`, over),
    figure(
      experiment,
      'The same by tokens that went forward and back, which is what attack and defence cost.',
      passes,
    ),
    figure(
      experiment,
      `Losses, by step: of the defence, and of attack and suffix search after their last iteration${several(experiment)}`,
      [
        ...losses(experiment, 'defend', 'defence'),
        ...losses(experiment, 'attack', 'attack'),
        ...losses(experiment, 'pool', 'suffix search'),
      ],
    ),
    figure(experiment, 'Largest realised norms of perturbations, by step; ε is dashed.', norms(experiment)),
  ].filter(({ panels }) => panels.length > 0);
  return figures.length > 0 ? [{ title: 'The course of training', blocks: figures }] : [];
}

function several({ runs }: Experiment): string {
  return runs.length > 1 ? '; means over seeds, bands from the least to the greatest.' : '.';
}

function figure({ models }: Experiment, caption: string, panels: readonly Panel[]): FigureBlock {
  const used = new Set(panels.flatMap(({ series }) => series.map(({ colour }) => colour)));
  return {
    kind: 'figure',
    caption,
    legend: legendOf(models).filter(({ colour }) => used.has(colour)),
    panels: panels.map((panel) => ({ kind: 'chart', ...panel })),
  };
}

/** Tokens of passes until a step: of the step's own record, where it was not thinned out. */
function tokensUntil({ step }: Metric, { metrics }: ModelRecord): number {
  const values = metrics.throughput?.findLast((metric) => metric.step <= step)?.values;
  return step === 0 ? 0 : (values?.['forwardTokens'] ?? NaN) + (values?.['backwardTokens'] ?? NaN);
}

/** A panel for each share and perplexity that was evaluated, the untrained model being where every arm begins. */
function evaluations(experiment: Experiment, across: Across): Panel[] {
  const names = valuesOf(experiment, 'evaluate').filter((name) => /(Comply|Accuracy|Perplexity)$/.test(name));
  return names.flatMap((name) => {
    const series = curves(experiment, 'evaluate', name, across, true);
    if (series.every(({ points }) => points.length < 2)) return [];
    const share = !name.endsWith('Perplexity');
    return [{ title: titleOf(name), x: across.name, log: across.log ?? false, share, series }];
  });
}

/** A recorded value as people call it: `directComply` is `direct: complies`. */
export function titleOf(name: string): string {
  return name
    .replace(/Comply$/, ': complies')
    .replace(/Accuracy$/, ': correct')
    .replace(/Perplexity$/, ': perplexity');
}

function losses(experiment: Experiment, kind: Kind, title: string): Panel[] {
  return valuesOf(experiment, kind)
    .filter((name) => !NO_LOSS.test(name))
    .map((name) => ({
      title: `${title}: ${name === 'loss' ? 'total' : name}`,
      x: 'step',
      series: curves(experiment, kind, name, STEPS),
    }));
}

/** Per site; a radius that is relative, or bounds whole examples, bounds no such norm and is not drawn. */
function norms(experiment: Experiment): Panel[] {
  return valuesOf(experiment, 'attack')
    .filter((name) => name.startsWith('norm/'))
    .map((name) => {
      const found = curves(experiment, 'attack', name, STEPS);
      const attack = experiment.runs[0]?.recipe.attack;
      const plain =
        attack?.radius !== 'relative' && attack?.per !== 'example' && attack?.adversary?.kind !== 'whitened';
      const limits = plain ? curves(experiment, 'attack', 'epsilon', STEPS) : [];
      return {
        title: name.slice('norm/'.length),
        x: 'step',
        series: [...found, ...limits.map((series) => ({ ...series, as: 'limit' as const }))],
      };
    });
}

/** Names of values in the order in which they were recorded; bounds are no values of their own. */
export function valuesOf({ runs }: Experiment, kind: Kind): string[] {
  const metrics = runs.flatMap(({ models }) => models.flatMap(({ metrics }) => metrics[kind] ?? []));
  return [...new Set(metrics.flatMap(({ values }) => Object.keys(values)))];
}

/** A value's course, arm by arm. @param begun with the untrained model's at the beginning. */
export function curves(
  experiment: Experiment,
  kind: Kind,
  name: string,
  across: Across,
  begun = false,
): Series[] {
  const { models, runs } = experiment;
  return models.flatMap((model, colour) => {
    const courses = runs.flatMap((run) => {
      const found = run.models.find((each) => each.name === model);
      const base = run.models.find((each) => each.name === 'base');
      if (!found || model === 'base') return [];
      const first = begun && found.metrics[kind] ? (base?.metrics[kind] ?? []) : [];
      return [
        [...first, ...(found.metrics[kind] ?? [])].flatMap((metric) =>
          pointOf(metric, name, across.of(metric, found)),
        ),
      ];
    });
    const points = courses.length > 1 ? meanCourse(courses) : (courses[0] ?? []);
    return points.length > 0 ? [{ name: model, colour, points, as: 'curve' as const }] : [];
  });
}

/** A point of a course, measured in a step. */
interface Measured extends Point {
  readonly step: number;
}

function pointOf({ step, values }: Metric, name: string, x: number): Measured[] {
  const [y, low, high] = [values[name], values[`${name}Low`], values[`${name}High`]];
  if (y === undefined || !Number.isFinite(y) || !Number.isFinite(x)) return [];
  return [{ step, x, y, ...(low !== undefined && high !== undefined && { low, high }) }];
}

/** Means where several seeds were measured in the same step, from the least to the greatest of them. */
function meanCourse(courses: readonly (readonly Measured[])[]): Point[] {
  const at = new Map<number, Measured[]>();
  for (const point of courses.flat()) at.set(point.step, [...(at.get(point.step) ?? []), point]);
  return [...at.values()].map((points) => {
    const all = points.map(({ y }) => y);
    return {
      x: mean(points.map(({ x }) => x)),
      y: mean(all),
      low: Math.min(...all),
      high: Math.max(...all),
    };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
