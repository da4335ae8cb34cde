/** @file One block of the decoder: attention and MLP around the residual stream. Depends on tensor operations only. */
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { activate } from './activation.js';
import { projected, type Positioned } from './heads.js';
import type { ModelConfig } from './model-config.js';
import { blockPath, type Linear, type Role } from './modules.js';
import { normalised } from './norm.js';
import { rmsNorm } from './rms-norm.js';
import { swiglu } from './swiglu.js';
import { linear, parameter, type Weights } from './weights.js';

// B batch, T token, N = B·T, D width, F MLP width, H query heads, G key-value heads, K head width

/** Attention of one layer over rotated (and, for queries, scaled) heads: q [B,H,T,K], k and v [B,G,T,K] to [B,H,T,K]. */
export type Attend = (layer: number, q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor) => Tensor;

/** What a block works with. */
export interface BlockContext {
  readonly config: ModelConfig;
  readonly weights: Weights;
  readonly rows: number;
  readonly columns: number;
  readonly attend: Attend;
  readonly positioned: Positioned;
  /** Visits a site with its activation [N, width of the site]. */
  readonly at: (site: string, x_ND: Tensor) => Tensor;
}

/** The residual stream [N,D] after block `layer`. */
export function block(context: BlockContext, layer: number, x_ND: Tensor): Tensor {
  const { config, at } = context;
  const { attentionNorm, mlpNorm, postAttentionNorm, postMlpNorm } = config.modules;
  const site = `layers.${layer}`;
  const norm = normIn(context, layer);
  const attended_ND = norm(
    postAttentionNorm,
    at(`${site}.attention`, selfAttention(context, layer, norm(attentionNorm, x_ND))),
  );
  const after_ND = ops.add(x_ND, attended_ND);
  const read_ND = config.parallel ? x_ND : after_ND;
  const fed_ND = norm(postMlpNorm, at(`${site}.mlp`, feedForward(context, layer, norm(mlpNorm, read_ND))));
  return at(`${site}.residual`, ops.boundary(ops.add(after_ND, fed_ND), layer + 1));
}

/** The norms of a block by name; a module that has none leaves the stream alone. */
function normIn({ config, weights }: BlockContext, layer: number) {
  const path = blockPath(config.modules, layer);
  return (name: string | null, x: Tensor): Tensor =>
    name === null ? x : normalised(config.norm, weights.parameters, `${path}.${name}`, x);
}

function selfAttention(context: BlockContext, layer: number, x_ND: Tensor): Tensor {
  const { config, weights, rows, columns, at } = context;
  const { heads, keyValueHeads, headWidth, modules } = config;
  const path = blockPath(modules, layer);
  const site = `layers.${layer}`;
  const { q_ND, k_ND, v_ND } = projected(config, (module) => linear(weights, path, module, x_ND));
  const headed = (x: Tensor, count: number): Tensor =>
    ops.transpose(ops.reshape(x, [rows, columns, count, headWidth]), [0, 2, 1, 3]);
  const headNorm = (name: string | null, x: Tensor): Tensor =>
    name === null ? x : normedHeads(context, `${path}.${name}`, x);
  const q = headNorm(modules.queryNorm, at(`${site}.q`, q_ND));
  const k = headNorm(modules.keyNorm, at(`${site}.k`, k_ND));
  const v = at(`${site}.v`, v_ND);
  const mixed_BHTK = context.attend(
    layer,
    context.positioned.query(layer, headed(q, heads)),
    context.positioned.key(headed(k, keyValueHeads)),
    headed(v, keyValueHeads),
  );
  const joined_ND = ops.reshape(ops.transpose(mixed_BHTK, [0, 2, 1, 3]), [rows * columns, heads * headWidth]);
  return linear(weights, path, moduleOf(config, 'o'), joined_ND);
}

/** Each head of [N, heads·K] normalised by itself. */
function normedHeads({ config, weights }: BlockContext, path: string, x_ND: Tensor): Tensor {
  const weight_K = parameter(weights.parameters, `${path}.weight`);
  const heads_MK = ops.reshape(x_ND, [-1, config.headWidth]);
  return ops.reshape(rmsNorm(heads_MK, weight_K, config.norm.epsilon), x_ND.shape);
}

function feedForward({ config, weights }: BlockContext, layer: number, x_ND: Tensor): Tensor {
  const path = blockPath(config.modules, layer);
  const apply = (role: Role, x: Tensor): Tensor => linear(weights, path, moduleOf(config, role), x);
  const has = (role: Role): boolean => config.modules.linears.some((module) => module.role === role);
  if (!has('gate') && !has('gate_up')) return apply('down', activate(config.activation, apply('up', x_ND)));
  const [gate_NF, up_NF] = has('gate_up')
    ? (ops.split(apply('gate_up', x_ND), 2, 1) as [Tensor, Tensor])
    : [apply('gate', x_ND), apply('up', x_ND)];
  return apply(
    'down',
    config.activation === 'silu'
      ? swiglu(gate_NF, up_NF)
      : ops.mul(activate(config.activation, gate_NF), up_NF),
  );
}

function moduleOf({ modules }: ModelConfig, role: Role): Linear {
  return modules.linears.find((module) => module.role === role) as Linear;
}
