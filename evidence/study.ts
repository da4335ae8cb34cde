/** @file An experiment from its sweep to its last seed. Knows nothing about how results are written down. */
import { join } from 'node:path';
import type { Evaluation } from '../operators/index.js';
import { overlay, RECIPES } from '../recipes/index.js';
import { ARMS, type ArmName, type Experiment, type Overlay } from './experiment.js';
import type { Finished, FinishedArm } from './run-cli.js';

/** Seed of the sweep; tests have others. */
const SWEEP_SEED = 1000;

export interface Study {
  /** The candidate that validation chose for each arm, by number, and what each candidate cost. */
  readonly chosen: Readonly<Record<ArmName, number>>;
  readonly costs: Readonly<Record<ArmName, readonly number[]>>;
  /** Undefended model and arms, seed by seed. */
  readonly base: readonly Evaluation[];
  readonly updates: Readonly<Record<ArmName, readonly Evaluation[]>>;
  /** Arms without a search, with as many passes as the others make. */
  readonly passes: Readonly<Partial<Record<ArmName, readonly Evaluation[]>>>;
}

export interface StudyHost {
  readonly train: (overlay: Overlay, out: string) => Promise<Finished>;
  readonly note: (text: string) => void;
}

/** Arms that search nothing, and so have passes to spare. */
const CHEAP: readonly ArmName[] = ['alone', 'noise'];

/** @param out folder of the runs; what is there is not done again. */
export async function study(
  experiment: Experiment,
  seeds: number,
  out: string,
  host: StudyHost,
): Promise<Study> {
  const { name, candidates } = experiment;
  const { train, note } = host;
  const costs = await sweep(experiment, out, host);
  const chosen = Object.fromEntries(
    ARMS.map((arm) => [arm, Math.max(0, costs[arm].indexOf(Math.min(...costs[arm])))]),
  ) as Record<ArmName, number>;
  const settings = (arm: ArmName): Overlay => candidates[chosen[arm]] as Overlay;
  const runs: Finished[] = [];
  const longer: Finished[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    note(`${name}: seed ${seed + 1} of ${seeds}`);
    const arms = armsOf(experiment, settings, ARMS);
    runs.push(
      await train(recipeOf(experiment, experiment.test, arms, seed), join(out, name, `updates-${seed}`)),
    );
    const { arms: done } = runs.at(-1) as Finished;
    const long = armsOf(experiment, (arm) => overlay(settings(arm), { steps: equalSteps(done, arm) }), CHEAP);
    longer.push(
      await train(recipeOf(experiment, experiment.test, long, seed), join(out, name, `passes-${seed}`)),
    );
  }
  const bySeed = (from: readonly Finished[], arms: readonly ArmName[]): Record<string, Evaluation[]> =>
    Object.fromEntries(arms.map((arm) => [arm, from.map((run) => evaluationOf(run.arms, arm))]));
  return {
    chosen,
    costs,
    base: runs.map(({ base }) => base),
    updates: bySeed(runs, ARMS) as Record<ArmName, Evaluation[]>,
    passes: bySeed(longer, CHEAP),
  };
}

/** What each candidate costs each arm, on validation prompts. From one nothing can be chosen, so it is not tried. */
async function sweep(
  experiment: Experiment,
  out: string,
  { train, note }: StudyHost,
): Promise<Record<ArmName, number[]>> {
  const { name, candidates } = experiment;
  const costs = Object.fromEntries(ARMS.map((arm) => [arm, [] as number[]])) as Record<ArmName, number[]>;
  for (const [number, candidate] of candidates.length > 1 ? candidates.entries() : []) {
    note(`${name}: candidate ${number + 1} of ${candidates.length}`);
    const arms = armsOf(experiment, () => candidate, ARMS);
    const run = recipeOf(experiment, experiment.validation, arms, SWEEP_SEED);
    const { arms: done } = await train(run, join(out, name, `sweep-${number}`));
    for (const arm of ARMS) costs[arm].push(experiment.cost(evaluationOf(done, arm)));
  }
  return costs;
}

/** Steps with which an arm passes as many tokens forward and backward as the one that searches at all sites. */
function equalSteps(done: Finished['arms'], name: ArmName): number {
  const [arm, both] = [armOf(done, name), armOf(done, 'both')];
  return Math.round((arm.steps * both.tokens) / arm.tokens);
}

function armsOf(
  { arms }: Experiment,
  settings: (arm: ArmName) => Overlay,
  names: readonly ArmName[],
): Record<string, Overlay> {
  return Object.fromEntries(names.map((arm) => [arm, overlay(settings(arm), arms[arm])]));
}

function recipeOf(
  { name, recipe, overlay: shared }: Experiment,
  asked: Overlay,
  arms: Record<string, Overlay>,
  seed: number,
): Overlay {
  const own = Object.keys(RECIPES[recipe]?.().arms ?? {}).map((arm) => [arm, null]);
  return {
    base: recipe,
    ...overlay(shared, asked),
    name: `evidence-${name}`,
    seed,
    arms: { ...Object.fromEntries(own), ...arms },
  };
}

function evaluationOf(arms: Finished['arms'], name: ArmName): Evaluation {
  return armOf(arms, name).evaluation;
}

function armOf(arms: Finished['arms'], name: ArmName): FinishedArm {
  const found = arms.find((arm) => arm.name === name);
  if (!found) throw new Error(`no arm ${name} in the summary`);
  return found;
}
