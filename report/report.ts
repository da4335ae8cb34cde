/** @file What a report on runs says, in order. Depends on what is measured, not on how it is shown. */
import { besides, sourceOf } from './beside.js';
import { courseSection } from './course.js';
import type { Report } from './document.js';
import { figureSection } from './figures.js';
import { computeSection, originSection, sampleSection } from './origin.js';
import type { Experiment } from './pool.js';
import { resultSections, seedSection } from './results.js';

/** The same experiments, however they are given, make the same report. */
export function reportOf(experiments: readonly Experiment[]): Report {
  return {
    title: [...new Set(experiments.map(({ recipe }) => recipe))].join(', '),
    experiments: [...besides(experiments), ...experiments.map(chapterOf)],
  };
}

function chapterOf(experiment: Experiment): Report['experiments'][number] {
  return {
    title: experiment.recipe,
    about: aboutOf(experiment),
    sections: [
      ...resultSections(experiment),
      ...figureSection(experiment),
      ...courseSection(experiment),
      computeSection(experiment),
      ...sampleSection(experiment),
      ...seedSection(experiment),
      originSection(experiment),
    ],
  };
}

function aboutOf(experiment: Experiment): string {
  const { runs, models } = experiment;
  const seeds = runs.map(({ recipe }) => recipe.seed);
  const arms = models.slice(1);
  const unfinished = runs.filter((run) => run.models.some(({ evaluation }) => !evaluation)).length;
  const parts = [
    `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`,
    `${arms.length === 1 ? 'arm' : 'arms'} ${arms.join(', ')}`,
    `${runs[0]?.recipe.steps ?? 0} steps`,
    ...(runs[0]?.recipe.model.kind === 'run' ? [`from ${sourceOf(experiment)}`] : []),
    ...(unfinished > 0
      ? [
          `${unfinished} of ${runs.length} not finished: shown as far as ${unfinished === 1 ? 'it is' : 'they are'}`,
        ]
      : []),
  ];
  return parts.join(' · ');
}
