/** @file The sections about where figures come from: what training took, sample answers, recipe, seeds and versions. */
import type { AnswerRecord } from '../operators/index.js';
import type { Block, Cell, SampleBlock, Section } from './document.js';
import type { Experiment } from './pool.js';
import { amount, duration } from './words.js';

export function computeSection({ runs }: Experiment): Section {
  const arms = runs.flatMap(({ models, recipe }) =>
    models
      .filter(({ name }) => name !== 'base')
      .map(({ name, steps, compute: { passes, seconds, peakMegabytes } }): Cell[] => [
        name,
        String(recipe.seed),
        `${amount(steps)} of ${amount(recipe.steps)}`,
        amount(passes?.forwardPasses),
        amount(passes?.backwardPasses),
        amount(passes?.forwardTokens),
        amount(passes?.backwardTokens),
        duration(seconds),
        peakMegabytes === undefined ? '–' : `${amount(peakMegabytes)} MB`,
      ]),
  );
  return {
    title: 'What training took',
    blocks: [
      {
        kind: 'table',
        caption:
          'Passes over a batch of rows, or a part of one, and the tokens in them without padding; evaluations are not counted. ' +
          "The peak is the process's until then, earlier arms included.",
        rows: [
          [
            'arm',
            'seed',
            'steps',
            'forward passes',
            'backward passes',
            'tokens forward',
            'tokens back',
            'time',
            'peak memory',
          ],
          ...arms,
        ],
      },
    ],
  };
}

/** Answers of all models to the same requests, of the first run: asked plainly, and under the attack that gets most through. */
export function sampleSection({ runs, measures }: Experiment): Section[] {
  const [run] = runs;
  const answers =
    run?.models.flatMap(({ name, answers }) => answers.map((answer) => ({ model: name, ...answer }))) ?? [];
  const strongest = measures
    .filter(
      ({ name, counts }) =>
        counts === 'comply' && answers.some(({ under }) => under === name) && name !== 'direct',
    )
    .map(({ name, models }) => ({
      name,
      most: Math.max(...Object.values(models).map(({ estimate }) => estimate)),
    }))
    .reduce<{ name: string; most: number } | undefined>(
      (best, each) => (best && best.most >= each.most ? best : each),
      undefined,
    )?.name;
  const shown = answers.filter(({ under }) => under === 'direct' || under === strongest);
  const requests = [...new Set(shown.map(({ index }) => index))].sort((a, b) => a - b);
  const blocks = requests.map((index) => sampleOf(shown.filter((answer) => answer.index === index)));
  if (blocks.length === 0) return [];
  const text =
    `What models said, asked directly${strongest === undefined ? '' : ` and under ${strongest}, the attack that got most through`}; ` +
    `requests evenly spaced in the table${runs.length > 1 ? `, seed ${run?.recipe.seed ?? 0}` : ''}. ` +
    'What an attack had put into the mouth of a model stands before “…”.';
  return [{ title: 'Samples', blocks: [{ kind: 'text', text }, ...blocks] }];
}

function sampleOf(answers: readonly (AnswerRecord & { readonly model: string })[]): SampleBlock {
  return {
    kind: 'sample',
    request: answers[0]?.request ?? '',
    answers: answers.map(({ model, under, given, generated, outcome }) => ({
      model,
      under,
      given,
      generated,
      outcome,
    })),
  };
}

export function originSection({ runs }: Experiment): Section {
  const keys = [...new Set(runs.flatMap(({ fingerprint = {} }) => Object.keys(fingerprint)))];
  const rows = runs.map(({ directory, recipe, fingerprint, models }) => [
    directory,
    String(recipe.seed),
    models.every(({ evaluation }) => evaluation) ? 'finished' : 'not finished',
    ...keys.map((key) => String(fingerprint?.[key] ?? '–')),
  ]);
  const recipes = runs.map(({ recipe }): Block => ({
    kind: 'code',
    title: `recipe with seed ${recipe.seed}, as it was run`,
    text: JSON.stringify(recipe, null, 2),
  }));
  const notes = runs[0]?.models[0]?.evaluation?.notes;
  const dropped = Object.entries(notes?.nearDuplicates ?? {}).filter(([, count]) => count > 0);
  const told = [
    ...dropped.map(
      ([table, count]) => `${count} rows of ${table} were too like rows of training, and left out.`,
    ),
    ...(notes && notes.openings > 0 ? [`${notes.openings} compliant answers are openings only.`] : []),
  ];
  return {
    title: 'Recipe, seeds and versions',
    blocks: [
      { kind: 'table', rows: [['run', 'seed', 'state', ...keys], ...rows] },
      ...(told.length > 0 ? [{ kind: 'text' as const, text: told.join(' ') }] : []),
      ...recipes,
    ],
  };
}
