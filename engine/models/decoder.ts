/** @file The decoder: tokens to final hidden states, with a hook at every named site. Depends on tensor operations only. */
import { complain } from '../../foundation/index.js';
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { attention } from './attention.js';
import type { ModelConfig } from './config.js';
import { visibility } from './mask.js';
import { rmsNorm } from './rms-norm.js';
import { rotate, rotation, scaled } from './rope.js';
import { swiglu } from './swiglu.js';

// B batch, T token, N = B·T, D width, F MLP width, H query heads, G key-value heads, K head width, V vocabulary

/** Packed rows as tensors, int32 [B,T] each. */
export interface TokenBatch {
  readonly tokens: Tensor;
  readonly positions: Tensor;
  readonly segments: Tensor;
}

/** Weights by Hugging Face name, and adapters by projection (`….q_proj.lora_A` [rank,in], `….lora_B` [out,rank]). */
export interface Weights {
  readonly parameters: Named;
  readonly adapters?: Named;
  /** alpha / rank; 1 where it is not given. */
  readonly adapterScale?: number | Tensor;
}

/** Sees every site's activation [B,T,width of the site] on its way and returns what takes its place. */
export type Visit = (site: string, x_BTD: Tensor) => Tensor;

/** Attention of one layer over rotated (and, for queries, scaled) heads: q [B,H,T,K], k and v [B,G,T,K] to [B,H,T,K]. */
export type Attend = (layer: number, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor) => Tensor;

/**
 * Hidden states [B·T, D] after the final norm: what {@link logitsAt} takes.
 * @throws MODEL_MISSING_PARAMETER where a weight is not there.
 */
export function hiddenStates(
  model: { readonly config: ModelConfig },
  weights: Weights,
  batch: TokenBatch,
  visit: Visit = (_site, x) => x,
): Tensor {
  const mask_B1TT = visibility(batch, batch, model.config.slidingWindow);
  return decode(
    model.config,
    weights,
    batch,
    (_layer, q_BHTK, k_BGTK, v_BGTK) => attention(q_BHTK, k_BGTK, v_BGTK, mask_B1TT),
    visit,
  );
}

/**
 * Logits [N,V] of hidden states.
 * @param hidden_ND as {@link hiddenStates} gives them. @param index_N int32 rows to keep (row·T + column); all without it.
 */
export function logitsAt(
  config: ModelConfig,
  parameters: Named,
  hidden_ND: Tensor,
  index_N?: Tensor,
): Tensor {
  const kept_ND = index_N ? ops.gather(hidden_ND, index_N) : hidden_ND;
  const head_VD = parameter(parameters, config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight');
  return ops.matMul(kept_ND, head_VD, false, true);
}

/** The decoder around any way to attend; {@link hiddenStates} is the one that sees its own tokens. */
export function decode(
  config: ModelConfig,
  weights: Weights,
  batch: Pick<TokenBatch, 'tokens' | 'positions'>,
  attend: Attend,
  visit: Visit,
): Tensor {
  const [rows, columns] = batch.tokens.shape as [number, number];
  const at = (site: string, x_ND: Tensor): Tensor => {
    const width = x_ND.shape[1] as number;
    return ops.reshape(visit(site, ops.reshape(x_ND, [rows, columns, width])), [rows * columns, width]);
  };
  const keyRotation = rotation(config, batch.positions);
  const queryRotation = scaled(keyRotation, 1 / Math.sqrt(config.headWidth));
  const heads = (x_ND: Tensor, count: number): Tensor =>
    ops.transpose(ops.reshape(x_ND, [rows, columns, count, config.headWidth]), [0, 2, 1, 3]);

  const selfAttention = (layer: number, x_ND: Tensor): Tensor => {
    const site = `layers.${layer}`;
    const prefix = `model.${site}.self_attn`;
    const q_ND = at(`${site}.q`, linear(weights, `${prefix}.q_proj`, x_ND, config.attentionBias));
    const k_ND = at(`${site}.k`, linear(weights, `${prefix}.k_proj`, x_ND, config.attentionBias));
    const v_ND = at(`${site}.v`, linear(weights, `${prefix}.v_proj`, x_ND, config.attentionBias));
    const q_BHTK = rotate(heads(q_ND, config.heads), queryRotation);
    const k_BGTK = rotate(heads(k_ND, config.keyValueHeads), keyRotation);
    const mixed_BHTK = attend(layer, q_BHTK, k_BGTK, heads(v_ND, config.keyValueHeads));
    const joined_ND = ops.reshape(ops.transpose(mixed_BHTK, [0, 2, 1, 3]), [
      rows * columns,
      config.heads * config.headWidth,
    ]);
    return at(`${site}.attention`, linear(weights, `${prefix}.o_proj`, joined_ND, config.attentionBias));
  };

  let x_ND = at('embedding', embed(weights.parameters, batch.tokens));
  for (let layer = 0; layer < config.layers; layer++) {
    const site = `layers.${layer}`;
    const norm = (name: string, x: Tensor): Tensor =>
      rmsNorm(x, parameter(weights.parameters, `model.${site}.${name}.weight`), config.normEpsilon);
    x_ND = ops.add(x_ND, selfAttention(layer, norm('input_layernorm', x_ND)));
    const normed_ND = norm('post_attention_layernorm', x_ND);
    x_ND = ops.add(x_ND, at(`${site}.mlp`, feedForward(config, weights, layer, normed_ND)));
    x_ND = at(`${site}.residual`, x_ND);
  }
  return rmsNorm(x_ND, parameter(weights.parameters, 'model.norm.weight'), config.normEpsilon);
}

function embed(parameters: Named, tokens_BT: Tensor): Tensor {
  return ops.gather(parameter(parameters, 'model.embed_tokens.weight'), ops.reshape(tokens_BT, [-1]));
}

function feedForward(config: ModelConfig, weights: Weights, layer: number, x_ND: Tensor): Tensor {
  const prefix = `model.layers.${layer}.mlp`;
  const gate_NF = linear(weights, `${prefix}.gate_proj`, x_ND, config.mlpBias);
  const up_NF = linear(weights, `${prefix}.up_proj`, x_ND, config.mlpBias);
  return linear(weights, `${prefix}.down_proj`, swiglu(gate_NF, up_NF), config.mlpBias);
}

/** x·Wᵀ (+ bias) (+ scale·(x·Aᵀ)·Bᵀ where the projection has an adapter). */
function linear(weights: Weights, name: string, x_ND: Tensor, biased: boolean): Tensor {
  let y = ops.matMul(x_ND, parameter(weights.parameters, `${name}.weight`), false, true);
  if (biased) y = ops.add(y, parameter(weights.parameters, `${name}.bias`));
  const down = weights.adapters?.[`${name}.lora_A`];
  const up = weights.adapters?.[`${name}.lora_B`];
  if (!down || !up) return y;
  const inner_Nr = ops.mul(ops.matMul(x_ND, down, false, true), weights.adapterScale ?? 1);
  return ops.add(y, ops.matMul(inner_Nr, up, false, true));
}

function parameter(parameters: Named, name: string): Tensor {
  return (
    parameters[name] ??
    complain({
      code: 'MODEL_MISSING_PARAMETER',
      owner: 'decoder',
      expected: `a parameter named ${name}`,
      got: `${Object.keys(parameters).length} others`,
      hint: 'pass all parameters of the model',
    })
  );
}
