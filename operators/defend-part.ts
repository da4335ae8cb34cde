/** @file A part of a defence's batch: rows, perturbation, and what is computed once for all iterations on them. */
import { splitBatch, type PackedBatch } from '../datasets/index.js';
import type { Engine, Value } from '../engine/index.js';
import { complain } from '../foundation/index.js';
import { comparisonOf } from './comparison.js';
import type { Objectives } from './config.js';
import type { DefenceLoss, PartArgs } from './defend-losses.js';
import { baseLogProbabilities, type DefencePlan } from './defend-program.js';
import { feedOf, type BatchFeed } from './feed.js';
import { requireLabels } from './pair-losses.js';
import { completionsOf, DEFENCE_AIMS, isPairLoss } from './pair-objectives.js';
import type { PerSite } from './perturbation.js';

/** Rows that are computed together. */
export interface DefendPart {
  /** Rows for `toward` and `away`. */
  readonly pairs?: PackedBatch;
  /** The perturbation of exactly these pair rows, [rows, P, D] by site; without it, plain training. */
  readonly deltas?: PerSite<Value>;
  /**
   * The attack's last gradient for δ (`createAttack` with `keepGradients`). Given, and the batch being one part,
   * gradients for δ count in the norm that is clipped, as in the published code; for comparisons with it.
   */
  readonly leftover?: PerSite<Value>;
  /** Rows for `sft` and `kl`, never perturbed. */
  readonly benign?: PackedBatch;
}

/**
 * Splits a batch into `count` parts by rows. Attack each part's `pairs`, then add `deltas` to it.
 * @throws SPLIT_PARTS
 */
export function partsOf(
  batch: { readonly pairs?: PackedBatch | null; readonly benign?: PackedBatch | null },
  count: number,
): readonly DefendPart[] {
  const pairs = batch.pairs ? splitBatch(batch.pairs, count) : [];
  const benign = batch.benign ? splitBatch(batch.benign, count) : [];
  return Array.from({ length: count }, (_, at) => ({
    ...(pairs[at] ? { pairs: pairs[at] } : {}),
    ...(benign[at] ? { benign: benign[at] } : {}),
  }));
}

/**
 * Uploads a part, and computes what losses compare with: the base model's log-probabilities.
 * @param parameters of the base model.
 */
export async function preparePart(
  engine: Engine,
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
  part: DefendPart,
  parameters: PerSite<Value>,
  objectives?: Objectives,
): Promise<PartArgs<Value>> {
  const pairLosses = losses.filter(isPairLoss);
  const anchors = losses.includes('kl');
  const pairs = pairLosses.length > 0 ? (part.pairs ?? missing('pair rows', pairLosses)) : undefined;
  const benign =
    anchors || losses.includes('sft') ? (part.benign ?? missing('benign rows', losses)) : undefined;
  if (pairs) requireLabels('defend', pairs, completionsOf(pairLosses, DEFENCE_AIMS));
  if (benign) requireLabels('defend', benign, ['desired']);
  const benignFeed = benign && feedOf(engine, benign, { anchors });
  const pairFeed = pairs && feedOf(engine, pairs);
  const aimed = { aims: DEFENCE_AIMS, names: pairLosses, objectives };
  return {
    pairs: pairFeed ?? {},
    deltas: (pairs && part.deltas) ?? {},
    comparison:
      pairs && pairFeed
        ? await comparisonOf(engine, plan.model, parameters, pairs, pairFeed, aimed)
        : { reference: {}, settings: {} },
    benign: benignFeed ?? {},
    base: anchors && benignFeed ? { logProbabilities: await base(engine, plan, parameters, benignFeed) } : {},
  };
}

async function base(
  engine: Engine,
  plan: DefencePlan,
  parameters: PerSite<Value>,
  benign: BatchFeed,
): Promise<Value> {
  return (await engine.run(baseLogProbabilities(plan), { parameters, benign })) as Value;
}

function missing(what: string, losses: readonly string[]): never {
  return complain({
    code: 'DEFEND_PART_MISSING',
    owner: 'defend',
    expected: `${what} in every part of a batch, for ${losses.join(', ')}`,
    got: 'none',
    hint: 'give the recipe that data, or remove the loss',
  });
}
