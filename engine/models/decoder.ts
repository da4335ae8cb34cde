/** @file The decoder: tokens to final hidden states, with a hook at every named site. Depends on tensor operations only. */
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { attention } from './attention.js';
import { block, type Attend } from './block.js';
import { positioned } from './heads.js';
import { visibilities } from './mask.js';
import type { ModelConfig } from './model-config.js';
import { embeddingName, headName } from './modules.js';
import { normalised } from './norm.js';
import { softCapped } from './soft-cap.js';
import { parameter, type Weights } from './weights.js';

// B batch, T token, N = B·T, D width, V vocabulary

/** Packed rows as tensors, int32 [B,T] each. */
export interface TokenBatch {
  readonly tokens: Tensor;
  readonly positions: Tensor;
  readonly segments: Tensor;
}

/** Sees every site's activation [B,T,width of the site] on its way and returns what takes its place. */
export type Visit = (site: string, x_BTD: Tensor) => Tensor;

/**
 * Hidden states [B·T, D] after the final norm: what {@link logitsAt} takes.
 * @throws MODEL_MISSING_PARAMETER where a weight is not there.
 */
export function hiddenStates(
  { config }: { readonly config: ModelConfig },
  weights: Weights,
  batch: TokenBatch,
  visit: Visit = (_site, x) => x,
): Tensor {
  const masks = visibilities(config, batch, batch);
  const attend: Attend = (layer, q_BHTK, k_BGTK, v_BGTK) =>
    attention(q_BHTK, k_BGTK, v_BGTK, masks(layer), { softCap: config.scoreSoftCap });
  return decode(config, weights, batch, attend, visit);
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
  return softCapped(ops.matMul(kept_ND, headWeight(config, parameters), false, true), config.logitSoftCap);
}

/** The matrix [V,D] that makes logits of hidden states: the embedding's where they are tied. */
export function headWeight({ tied, modules }: ModelConfig, parameters: Named): Tensor {
  return parameter(parameters, tied ? embeddingName(modules) : headName(modules));
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
  const context = {
    config,
    weights,
    rows,
    columns,
    attend,
    at,
    positioned: positioned(config, batch.positions),
  };
  let x_ND = at('embedding', ops.boundary(embedded(config, weights.parameters, batch), 0));
  for (let layer = 0; layer < config.layers; layer++) x_ND = block(context, layer, x_ND);
  const { base, finalNorm } = config.modules;
  return normalised(config.norm, weights.parameters, `${base}.${finalNorm}`, x_ND);
}

/** The stream that enters the first block: token vectors, scaled, and learned positions where there are any. */
function embedded(
  { modules, embeddingScale }: ModelConfig,
  parameters: Named,
  { tokens, positions }: Pick<TokenBatch, 'tokens' | 'positions'>,
): Tensor {
  const row = (name: string, ids: Tensor): Tensor =>
    ops.gather(parameter(parameters, name), ops.reshape(ids, [-1]));
  const tokens_ND = row(embeddingName(modules), tokens);
  const scaled_ND = embeddingScale === 1 ? tokens_ND : ops.mul(tokens_ND, embeddingScale);
  if (modules.positions === null) return scaled_ND;
  return ops.add(scaled_ND, row(`${modules.base}.${modules.positions}.weight`, positions));
}
