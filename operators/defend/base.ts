/** @file Programs of what a defence compares with: the base model's outputs and activations, and the distance from them. */
import { ops, type Definition, type Tensor } from '../../engine/index.js';
import { benignLogits, benignLosses } from './losses.js';
import type { DefencePlan, GradientArgs } from './plan.js';
import type { BatchFeed } from '../feed.js';
import { programName } from '../model.js';
import type { PerSite } from '../perturbation.js';
import { residualAfter } from '../objectives/steering.js';

/** Log-probabilities [N, V] of the base model at a label set of benign rows. */
export function baseLogProbabilities(
  plan: DefencePlan,
  set: 'anchors' | 'desired',
): Definition<{ readonly parameters: PerSite<Tensor>; readonly benign: BatchFeed<Tensor> }> {
  return {
    name: programName('defend-base', plan.model, [set]),
    compute: ({ parameters, benign }) =>
      ops.logSoftmax(benignLogits(plan.model, { parameters, adapters: {} }, benign, set)),
  };
}

/** The base model's residual stream [B, T, D] on benign rows: where `retain` holds it. */
export function baseResidual(
  plan: DefencePlan,
): Definition<{ readonly parameters: PerSite<Tensor>; readonly benign: BatchFeed<Tensor> }> {
  return {
    name: programName('defend-base-residual', plan.model, [plan.layer]),
    compute: ({ parameters, benign }) =>
      residualAfter(plan.model, plan.layer, { parameters, adapters: {} }, benign),
  };
}

/** The divergence from the base model of one part: what the published term is divided by. */
export function divergence(plan: DefencePlan): Definition<Omit<GradientArgs, 'coefficients'>> {
  return {
    name: programName('defend-divergence', plan.model, [plan.trains]),
    compute: (args) =>
      benignLosses(plan.model, plan.layer, plan.join(args), args.part, ['kl'])['kl'] as Tensor,
  };
}
