/** @file What is asked of the first seed's models alone: attacks that cost much, and re-learning. */
import { join } from 'node:path';
import type { Evaluation } from '../operators/index.js';
import { overlay, RECIPES } from '../recipes/index.js';
import { ARMS, type Experiment, type Overlay } from './experiment.js';

/** An attack as `latstream evaluate --json` prints it. */
export interface Asked {
  readonly n: number;
  readonly comply: number;
}

export type FurtherEvaluation = Omit<Evaluation, 'attacks'> & {
  readonly attacks: Readonly<Record<string, Asked>>;
};

/** Shares by steps of re-learning, as `latstream relearn --json` prints them. */
export interface Course {
  readonly caption: string;
  /** The first row is the head. */
  readonly rows: readonly (readonly string[])[];
}

export interface Further {
  /** By model; `base` is the undefended one. */
  readonly evaluations: Readonly<Record<string, FurtherEvaluation>>;
  readonly courses: readonly Course[];
}

/** Each does nothing where `out` is there already. */
export interface FurtherHost {
  readonly evaluated: (recipe: Overlay, adapters: string | null, out: string) => Promise<FurtherEvaluation>;
  readonly relearned: (
    run: string,
    recipe: Overlay,
    oracle: string | null,
    out: string,
  ) => Promise<readonly Course[]>;
  /** Trains a recipe. @returns its model's folder. */
  readonly model: (recipe: Overlay, out: string) => Promise<string>;
  readonly note: (text: string) => void;
}

/** Rows that a course of re-learning asks. */
const ASKED = 64;

/** @param out folder of the experiment's runs, the first seed's among them. */
export async function further(experiment: Experiment, out: string, host: FurtherHost): Promise<Further> {
  const { name } = experiment;
  const run = join(out, name, 'updates-0');
  const evaluations = await furtherEvaluations(experiment, run, ARMS, join(out, name), host);
  host.note(`${name}: re-learning`);
  const { oracle } = experiment.relearning;
  const knew =
    oracle === undefined ? null : await host.model({ base: oracle, threads: 1 }, join(out, oracle));
  const courses = await host.relearned(
    run,
    relearningRecipe(experiment),
    knew,
    join(out, name, 'relearning'),
  );
  return { evaluations, courses };
}

/** What is asked of a run's models by what costs much. */
type Asking = Pick<Experiment, 'name' | 'recipe' | 'overlay' | 'further'>;

/** The model that a run's arms began with, as `base`, and theirs. @param out folder of what was found. */
export async function furtherEvaluations(
  asking: Asking,
  run: string,
  arms: readonly string[],
  out: string,
  { evaluated, note }: Pick<FurtherHost, 'evaluated' | 'note'>,
): Promise<Record<string, FurtherEvaluation>> {
  const evaluations: Record<string, FurtherEvaluation> = {};
  for (const model of ['base', ...arms]) {
    note(`${asking.name}: further attacks on ${model}`);
    const adapters = model === 'base' ? null : join(run, model, 'adapter');
    evaluations[model] = await evaluated(
      furtherRecipe(asking, run),
      adapters,
      join(out, `further-${model}.json`),
    );
  }
  return evaluations;
}

/** Asks the model that the run's arms began with, on which adapters are put. */
export function furtherRecipe({ recipe, overlay: shared, further: asked }: Asking, run: string): Overlay {
  return {
    base: recipe,
    ...overlay(shared, asked),
    prepare: null,
    model: { kind: 'run', path: run, arm: 'base' },
  };
}

/** Its recipe with the arms that are wanted alone, asked less. */
export function relearningRecipe({ relearning }: Experiment): Overlay {
  const { recipe, arms, evaluate } = relearning;
  const others = Object.keys(RECIPES[recipe]?.().arms ?? {}).filter((arm) => !arms.includes(arm));
  return {
    base: recipe,
    threads: 1,
    evaluate: { requests: ASKED, during: ASKED, ...evaluate },
    arms: Object.fromEntries(others.map((arm) => [arm, null])),
  };
}
