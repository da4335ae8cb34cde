/** @file A part of a defence's batch: rows, perturbation, and what is computed once for all iterations on them. */
import { splitBatch, type Completion, type PackedBatch } from '../../datasets/index.js';
import { float32, type Engine, type HostTensor, type Value } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import { comparisonOf } from '../objectives/comparison.js';
import type { Objectives } from '../config.js';
import { COMPARED_AT, isOfPairs, type DefenceLoss, type PartArgs } from './losses.js';
import { baseLogProbabilities, baseResidual } from './base.js';
import type { DefencePlan } from './plan.js';
import { feedOf, type BatchFeed } from '../feed.js';
import { requireLabels } from '../objectives/pair-losses.js';
import { completionsOf, DEFENCE_AIMS, isPairLoss } from '../objectives/pair-objectives.js';
import type { PerSite } from '../perturbation.js';
import { positionWeights } from '../objectives/steering.js';

/** Rows that are computed together. */
export interface DefendPart {
  /** Rows for the losses on pairs. */
  readonly pairs?: PackedBatch;
  /** The perturbation of exactly these pair rows, [rows, P, D] by site; without it, plain training. */
  readonly deltas?: PerSite<Value>;
  /**
   * The attack's last gradient for δ (`createAttack` with `keepGradients`). Given, and the batch being one part,
   * gradients for δ count in the norm that is clipped, as in the published code; for comparisons with it.
   */
  readonly leftover?: PerSite<Value>;
  /** Rows for `sft`, `kl`, `forwardKl` and `retain`, never perturbed. */
  readonly benign?: PackedBatch;
  /**
   * What the published code of `rmu` does otherwise, for comparisons with it: padding counts among positions, and every
   * batch has a control vector [D] of its own.
   */
  readonly published?: { readonly countPadding: boolean; readonly control: HostTensor };
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
 * @param parameters of the base model. @param control [D], what `rmu` steers to.
 */
export async function preparePart(
  engine: Engine,
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
  part: DefendPart,
  parameters: PerSite<Value>,
  control: HostTensor,
  objectives?: Objectives,
): Promise<PartArgs<Value>> {
  const pairLosses = losses.filter(isPairLoss);
  const anchors = losses.includes('kl');
  const ofPairs = losses.filter(isOfPairs);
  const pairs = ofPairs.length > 0 ? (part.pairs ?? missing('pair rows', ofPairs)) : undefined;
  const benign = ofPairs.length < losses.length ? (part.benign ?? missing('benign rows', losses)) : undefined;
  if (pairs) requireLabels('defend', pairs, completionsOf(pairLosses, DEFENCE_AIMS));
  if (pairs && losses.includes('rmu')) requireLabels('defend', pairs, ['adversarial']);
  if (benign) requireLabels('defend', benign, ['desired']);
  const benignFeed = benign && feedOf(engine, benign, { anchors });
  const pairFeed = pairs && feedOf(engine, pairs);
  const aimed = { aims: DEFENCE_AIMS, names: pairLosses, objectives };
  const ofBase = async (definition: ReturnType<typeof baseResidual>): Promise<Value> =>
    (await engine.run(definition, { parameters, benign: benignFeed as BatchFeed })) as Value;
  const base: Partial<Record<'anchors' | 'desired', Value>> = {};
  for (const [name, set] of Object.entries(COMPARED_AT))
    if (losses.includes(name as DefenceLoss)) base[set] = await ofBase(baseLogProbabilities(plan, set));
  return {
    pairs: pairFeed ?? {},
    deltas: (pairs && part.deltas) ?? {},
    comparison:
      pairs && pairFeed
        ? await comparisonOf(engine, plan.model, parameters, pairs, pairFeed, aimed)
        : { reference: {}, settings: {} },
    benign: benignFeed ?? {},
    steering: {
      ...(pairs && losses.includes('rmu')
        ? {
            control: engine.upload(part.published?.control ?? control),
            forget: weightsOf(engine, pairs, 'adversarial', part),
          }
        : {}),
      ...(benign && losses.includes('retain')
        ? {
            base: await ofBase(baseResidual(plan)),
            keep: weightsOf(engine, benign, 'desired', part),
          }
        : {}),
    },
    base,
  };
}

function weightsOf(
  engine: Engine,
  batch: PackedBatch,
  completion: Completion,
  { published }: DefendPart,
): Value {
  const weights = positionWeights(batch, completion, published?.countPadding ?? false);
  return engine.upload(float32([batch.rows, batch.length], weights));
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
