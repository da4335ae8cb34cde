/** @file Experiments that differ only in the model they begin with, beside each other: a line for each model. */
import { curves, STEPS, titleOf, valuesOf } from './course.js';
import type { FigureBlock, Report, TableBlock } from './document.js';
import type { Experiment } from './pool.js';

/** A chapter for every recipe that was run on several models. */
export function besides(experiments: readonly Experiment[]): Report['experiments'] {
  const byRest = new Map<string, Experiment[]>();
  for (const experiment of experiments) {
    const rest = restOf(experiment);
    byRest.set(rest, [...(byRest.get(rest) ?? []), experiment]);
  }
  return [...byRest.values()].filter(({ length }) => length > 1).map(chapterOf);
}

function restOf({ runs }: Experiment): string {
  return JSON.stringify({ ...runs[0]?.recipe, seed: 0, model: null });
}

function chapterOf(group: readonly Experiment[]): Report['experiments'][number] {
  const names = namesOf(group.map(sourceOf));
  const measures = [...new Set(group.flatMap((each) => valuesOf(each, 'evaluate')))].filter((name) =>
    /(Comply|Accuracy)$/.test(name),
  );
  return {
    title: `${group[0]?.recipe ?? ''}: models beside each other`,
    about: names.join(' · '),
    sections: measures.map((measure) => ({
      title: titleOf(measure),
      blocks: [table(group, names, measure), figure(group, names, measure)],
    })),
  };
}

/** Where an experiment's model is from: of several seeds, that of the first. */
export function sourceOf({ runs }: Experiment): string {
  const model = runs[0]?.recipe.model;
  if (!model || model.kind === 'random') return 'random';
  return model.kind === 'run' ? `${model.path}/${model.arm}` : model.path;
}

/** Paths by their ends, as short as tells them apart. */
function namesOf(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/[/\\]/).filter((part) => part !== ''));
  for (let length = 1; length < Math.max(...parts.map((each) => each.length)); length++) {
    const names = parts.map((each) => each.slice(-length).join('/'));
    if (new Set(names).size === names.length) return names;
  }
  return [...paths];
}

function armsOf([first]: readonly Experiment[]): string[] {
  return first?.models.filter((name) => name !== 'base') ?? [];
}

/** What an arm made of the measure, from the model that it began with on. */
function courseOf(experiment: Experiment, arm: string, measure: string): ReturnType<typeof curves> {
  return curves(experiment, 'evaluate', measure, STEPS, true).filter(({ name }) => name === arm);
}

function table(group: readonly Experiment[], names: readonly string[], measure: string): TableBlock {
  const steps = new Set<number>();
  const rows = armsOf(group).map((arm) => [
    arm,
    ...group.map((experiment) => {
      const points = courseOf(experiment, arm, measure).flatMap((series) => series.points);
      points.forEach(({ x }) => steps.add(x));
      return points.length === 0 ? '–' : points.map(({ y }) => Math.round(100 * y)).join(' ');
    }),
  ]);
  const at = [...steps].sort((a, b) => a - b).join(', ');
  return {
    kind: 'table',
    caption: `${titleOf(measure)}, in % after ${at} steps.`,
    rows: [['', ...names], ...rows],
  };
}

function figure(group: readonly Experiment[], names: readonly string[], measure: string): FigureBlock {
  const panels = armsOf(group).map((arm) => ({
    kind: 'chart' as const,
    title: arm,
    x: 'step',
    share: true,
    series: group.flatMap((experiment, colour) =>
      courseOf(experiment, arm, measure).map((series) => ({
        ...series,
        name: names[colour] as string,
        colour,
      })),
    ),
  }));
  return {
    kind: 'figure',
    caption: `${titleOf(measure)}, by step of training, with 95 % intervals; over several seeds from the least to the greatest.`,
    legend: names.map((name, colour) => ({ name, colour })),
    panels: panels.filter(({ series }) => series.length > 0),
  };
}
