/** @file The two programs of cached generation: prompts to keys and values, and one token more. Tensor operations only. */
import type { Definition } from '../executor.js';
import type { Named } from '../gradients.js';
import type { Tensor } from '../ops.js';
import { attention } from './attention.js';
import type { Attend } from './block.js';
import { modelKey } from './config.js';
import { decode, logitsAt, type TokenBatch } from './decoder.js';
import { visibilities } from './mask.js';
import type { ModelConfig } from './model-config.js';
import { perturbing } from './sites.js';
import type { Weights } from './weights.js';

// B batch, T token, S cached column, G key-value heads, K head width, V vocabulary

/** What both programs take. */
export type StepArgs = {
  readonly parameters: Named;
  readonly adapters: Named;
  readonly batch: { readonly [K in keyof TokenBatch]: Tensor };
  /** Perturbations [B,P,D] by site, and each token's slot [B,T]. */
  readonly deltas: Named;
  readonly slots: Tensor;
};

/** What both programs give: logits [B,V] of each row's last token, and new keys and values [B,G,T,K] by layer. */
export type StepResult = { readonly logits: Tensor; readonly keys: Named; readonly values: Named };

/** Prompts: every row's own tokens see each other. `last` [B] is row·T + column of each row's last token. */
export function prefillProgram(
  config: ModelConfig,
  adapterScale: number,
): Definition<StepArgs & { readonly last: Tensor }, StepResult> {
  return {
    name: `prefill ${modelKey(config)} ${adapterScale}`,
    compute: (args) => {
      const masks = visibilities(config, args.batch, args.batch);
      const attend: Attend = (layer, q_BHTK, k_BGTK, v_BGTK) =>
        attention(q_BHTK, k_BGTK, v_BGTK, masks(layer), { softCap: config.scoreSoftCap });
      return step(config, { ...args, adapterScale }, args, attend, args.last);
    },
  };
}

/** One more token per row, T = 1, over a cache of S columns whose ids are `held`. */
export function decodeProgram(
  config: ModelConfig,
  adapterScale: number,
): Definition<
  StepArgs & {
    readonly held: { readonly positions: Tensor; readonly segments: Tensor };
    readonly keys: Named;
    readonly values: Named;
  },
  StepResult
> {
  return {
    name: `decode ${modelKey(config)} ${adapterScale}`,
    compute: (args) => {
      const own = visibilities(config, args.batch, args.batch);
      const earlier = visibilities(config, args.batch, args.held);
      const attend: Attend = (layer, q_BHTK, k_BGTK, v_BGTK) => {
        const past = {
          keys_BGSK: args.keys[layer] as Tensor,
          values_BGSK: args.values[layer] as Tensor,
          mask_B1TS: earlier(layer),
        };
        return attention(q_BHTK, k_BGTK, v_BGTK, own(layer), { softCap: config.scoreSoftCap, past });
      };
      return step(config, { ...args, adapterScale }, args, attend);
    },
  };
}

function step(
  config: ModelConfig,
  weights: Weights,
  { batch, deltas, slots }: StepArgs,
  attend: Attend,
  last?: Tensor,
): StepResult {
  const keys: Record<string, Tensor> = {};
  const values: Record<string, Tensor> = {};
  const keeping: Attend = (layer, q_BHTK, k_BGTK, v_BGTK) => {
    keys[layer] = k_BGTK;
    values[layer] = v_BGTK;
    return attend(layer, q_BHTK, k_BGTK, v_BGTK);
  };
  const hidden_ND = decode(config, weights, batch, keeping, perturbing(deltas, slots));
  return { logits: logitsAt(config, weights.parameters, hidden_ND, last), keys, values };
}
