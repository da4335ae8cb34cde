/** @file Runs of one recipe with different seeds, taken together: shares by attack and model, paired differences, intervals. */
import { complain, pairedDifference, pooledBootstrap, wilson, type Interval } from '../foundation/index.js';
import type { Evaluation } from '../operators/index.js';
import type { RunRecord } from './run-record.js';

/** A share of requests: what was measured with each seed, and all of it together. */
export interface Share extends Interval {
  /** Requests of all seeds. */
  readonly n: number;
  /** Of these, neither complied nor refused; for attacks only. */
  readonly incoherent?: number;
  readonly bySeed: readonly (Interval & { readonly seed: number; readonly n: number })[];
}

/** One attack, or one table of requests that should be answered. */
export interface Measure {
  readonly name: string;
  /** What is counted: requests complied with, or answered right. */
  readonly counts: 'comply' | 'correct';
  readonly models: Readonly<Record<string, Share>>;
  /** Paired differences to the experiment's `reference`, by model. */
  readonly differences: Readonly<Record<string, Interval>>;
}

/** Runs of one recipe. */
export interface Experiment {
  readonly recipe: string;
  /** In the order of their seeds. */
  readonly runs: readonly RunRecord[];
  /** The untrained model first, then arms. */
  readonly models: readonly string[];
  /** What others are compared with: the first arm, or the untrained model where there is one arm. */
  readonly reference: string;
  readonly measures: readonly Measure[];
}

/**
 * Sorts runs into experiments, in the order in which their recipes come first.
 * @throws REPORT_REPEATED where two runs are of one recipe and one seed: they would count twice.
 */
export function experimentsOf(runs: readonly RunRecord[]): Experiment[] {
  const byRecipe = new Map<string, RunRecord[]>();
  for (const run of runs) byRecipe.set(run.experiment, [...(byRecipe.get(run.experiment) ?? []), run]);
  return [...byRecipe.values()].map((found) => {
    const sorted = found.sort((a, b) => a.recipe.seed - b.recipe.seed);
    sorted.forEach((run, at) => refuseRepeated(run, sorted[at + 1]));
    return experimentOf(sorted);
  });
}

function refuseRepeated(run: RunRecord, next: RunRecord | undefined): void {
  if (next?.recipe.seed === run.recipe.seed)
    complain({
      code: 'REPORT_REPEATED',
      owner: 'report',
      expected: 'each recipe and seed once',
      got: `seed ${run.recipe.seed} of ${run.recipe.name} in ${run.directory} and in ${next.directory}`,
      hint: 'name one of them: the same seed again is no further measurement',
    });
}

function experimentOf(runs: readonly RunRecord[]): Experiment {
  const recipe = (runs[0] as RunRecord).recipe;
  const arms = Object.keys(recipe.arms);
  const models = ['base', ...arms];
  const reference = arms.length > 1 ? (arms[0] as string) : 'base';
  const shared = recipe.synthetic === null;
  const names = new Map<string, Measure['counts']>();
  for (const { evaluation } of runs.flatMap((run) => run.models)) {
    Object.keys(evaluation?.attacks ?? {}).forEach((name) => names.set(name, 'comply'));
    if (evaluation?.benign) names.set('benign', 'correct');
    Object.keys(evaluation?.probes ?? {}).forEach((name) => names.set(name, 'correct'));
  }
  const measures = [...names]
    .sort(([, a], [, b]) => Number(a === 'correct') - Number(b === 'correct'))
    .map(([name, counts]) => measureOf(runs, { name, counts, models, reference, shared }));
  return { recipe: recipe.name, runs, models, reference, measures };
}

interface Asked {
  readonly name: string;
  readonly counts: Measure['counts'];
  readonly models: readonly string[];
  readonly reference: string;
  readonly shared: boolean;
}

/** Outcomes of one model with one seed. */
interface Outcomes {
  readonly seed: number;
  readonly hits: readonly boolean[];
  readonly incoherent: number;
}

function measureOf(runs: readonly RunRecord[], asked: Asked): Measure {
  const { name, counts, models, reference, shared } = asked;
  const found = models.map((model) => [model, outcomesOf(runs, model, asked)] as const);
  const compared = found.find(([model]) => model === reference)?.[1] ?? [];
  const differences = found.flatMap(([model, outcomes]) => {
    const pairs = model === reference ? [] : paired(outcomes, compared);
    return pairs.length > 0 ? [[model, pooledDifference(pairs, shared)] as const] : [];
  });
  const shares = found.filter(([, outcomes]) => outcomes.length > 0);
  return {
    name,
    counts,
    models: Object.fromEntries(
      shares.map(([model, outcomes]) => [model, shareOf(outcomes, { shared, counts })]),
    ),
    // The untrained model comes before all arms: what training changed is read off the table.
    differences: Object.fromEntries(differences.filter(([model]) => model !== 'base')),
  };
}

function outcomesOf(runs: readonly RunRecord[], model: string, { name, counts }: Asked): Outcomes[] {
  return runs.flatMap(({ recipe: { seed }, models }) => {
    const evaluation = models.find((each) => each.name === model)?.evaluation;
    const attack = counts === 'comply' ? evaluation?.attacks[name] : undefined;
    if (attack)
      return [
        {
          seed,
          hits: attack.outcomes.map((each) => each === 'comply'),
          incoherent: attack.counts.incoherent,
        },
      ];
    const hits = counts === 'correct' && evaluation ? answered(evaluation, name) : undefined;
    return hits ? [{ seed, hits, incoherent: 0 }] : [];
  });
}

function answered({ benign, probes }: Evaluation, name: string): readonly boolean[] | undefined {
  return name === 'benign' ? benign?.outcomes : probes?.[name]?.outcomes;
}

/** Both models' outcomes with the seeds that both have. */
function paired(first: readonly Outcomes[], second: readonly Outcomes[]): [Outcomes, Outcomes][] {
  return first.flatMap((one) => {
    const other = second.find(({ seed }) => seed === one.seed);
    return other && other.hits.length === one.hits.length ? [[one, other] as [Outcomes, Outcomes]] : [];
  });
}

function shareOf(
  outcomes: readonly Outcomes[],
  { shared, counts }: { readonly shared: boolean; readonly counts: Measure['counts'] },
): Share {
  const bySeed = outcomes.map(({ seed, hits }) => ({
    seed,
    n: hits.length,
    ...wilson(count(hits), hits.length),
  }));
  const sum = (of: (each: Outcomes) => number): number =>
    outcomes.reduce((total, each) => total + of(each), 0);
  const [only] = bySeed;
  const whole =
    bySeed.length === 1 && only
      ? { estimate: only.estimate, low: only.low, high: only.high }
      : pooled(
          outcomes.map(({ hits }) => hits.map(Number)),
          shared,
          () => wilson(count(outcomes[0]?.hits ?? []), outcomes[0]?.hits.length ?? 0),
        );
  return {
    ...whole,
    n: sum(({ hits }) => hits.length),
    ...(counts === 'comply' && { incoherent: sum(({ incoherent }) => incoherent) }),
    bySeed,
  };
}

function pooledDifference(pairs: readonly [Outcomes, Outcomes][], shared: boolean): Interval {
  const [first, second] = pairs[0] as [Outcomes, Outcomes];
  const single = (): Interval => pairedDifference(first.hits, second.hits);
  if (pairs.length === 1) return single();
  const differences = pairs.map(([one, other]) =>
    one.hits.map((hit, at) => Number(hit) - Number(other.hits[at])),
  );
  return pooled(differences, shared, single);
}

/**
 * The pooled bootstrap; where no request ever differs from another it has nothing to draw from and would claim certainty: then
 * the interval is that of one seed's requests.
 */
function pooled(values: readonly number[][], shared: boolean, single: () => Interval): Interval {
  const sizes = new Set(values.map(({ length }) => length));
  const found = pooledBootstrap(values, { shared: shared && sizes.size === 1, seed: 0 });
  return found.low < found.high ? found : single();
}

function count(hits: readonly boolean[]): number {
  return hits.filter(Boolean).length;
}
