/**
 * @file What an attack must know of the unperturbed model before it starts: norms of the residual stream that relative
 * radii are fractions of, activations that linear adversaries are functions of. One program run per attack.
 */
import {
  atSlots,
  groupNorms,
  hiddenStates,
  ops,
  residualOf,
  type Definition,
  type Engine,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import type { AttackFixed } from './iteration.js';
import type { Space } from './adversary.js';
import { programName, type Model } from '../model.js';
import { decoderWeights } from '../objectives/pair-losses.js';
import type { PerSite } from '../perturbation.js';

/** What is asked for. */
export interface SurveyConfig {
  readonly units: boolean;
  readonly activations: boolean;
}

type Args = Pick<AttackFixed, 'weights' | 'batch' | 'attacked'>;

/** The fields of {@link Space} that are asked for; runs nothing where none is. */
export async function survey(
  engine: Engine,
  model: Model,
  sites: readonly string[],
  wanted: SurveyConfig,
  args: Pick<AttackFixed<Value>, 'weights' | 'batch' | 'attacked'>,
): Promise<Space<Value>> {
  if (!wanted.units && !wanted.activations) return {};
  return engine.run(surveyProgram(model, sites, wanted), args);
}

function surveyProgram(
  model: Model,
  sites: readonly string[],
  wanted: SurveyConfig,
): Definition<Args, Space> {
  const measured = new Set(sites.map(residualOf));
  return {
    name: programName('attack-survey', model, [sites, wanted]),
    compute: ({ weights, batch, attacked }) => {
      const norms: Record<string, Tensor> = {};
      const activations: Record<string, Tensor> = {};
      const slots = attacked.shape[1] as number;
      hiddenStates(model, decoderWeights(model, weights), batch, (site, x_BTD) => {
        if (wanted.units && measured.has(site))
          norms[site] = meanNorm(x_BTD, ops.cast(ops.greaterEqual(batch.slots, 0), 'float32'));
        if (wanted.activations && sites.includes(site)) {
          const h_BPD = atSlots(x_BTD, batch.slots, slots);
          activations[site] = ops.div(h_BPD, ops.maximum(meanNorm(h_BPD, attacked), 1e-12));
        }
        return x_BTD;
      });
      const units: PerSite<Tensor> = Object.fromEntries(
        sites.map((site) => [site, norms[residualOf(site)] as Tensor]),
      );
      return { ...(wanted.units && { unit: units }), ...(wanted.activations && { activations }) };
    },
  };
}

/**
 * Geometric mean of the norms of the vectors that count, row by row: [B, 1, 1]. In many models the first token's norm is a
 * hundred times the others' (Sun et al. 2024, massive activations); a plain mean would be a radius for that one.
 * @param counted 1 or 0. [B, N]
 */
function meanNorm(x_BND: Tensor, counted_BN: Tensor): Tensor {
  const norms_BN = ops.squeeze(groupNorms(x_BND, 'token'), [2]);
  const logs_BN = ops.mul(ops.log(ops.maximum(norms_BN, 1e-12)), counted_BN);
  const mean_B1 = ops.div(ops.sum(logs_BN, 1, true), ops.maximum(ops.sum(counted_BN, 1, true), 1));
  return ops.expandDims(ops.exp(mean_B1), 2);
}
