/** @file Named places in a model where activations can be read or perturbed, and how perturbations are placed. */
import { complain } from '../../foundation/index.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import type { ModelConfig } from './model-config.js';
import type { Visit } from './decoder.js';

// B batch, T token, P perturbed position (slot), D width of the site

/**
 * What is at a site of a block, in every family: `q`, `k`, `v` are what the projections give, bias included, before head norms
 * and positions (a fused projection is split first); `attention` and `mlp` are what these modules give, before a post
 * norm where the block has one; `residual` is the stream after the block. `embedding` is the stream that enters the
 * first block, after its scale and learned positions.
 */
export const BLOCK_SITES = ['attention', 'mlp', 'residual', 'q', 'k', 'v'] as const;
export type BlockSite = (typeof BLOCK_SITES)[number];

/** A site, parsed. */
export type Site = { readonly kind: 'embedding' } | { readonly kind: BlockSite; readonly layer: number };

/** Every site name of a model, in the order of the forward pass. */
export function siteNames(config: ModelConfig): string[] {
  const order = ['q', 'k', 'v', 'attention', 'mlp', 'residual'] as const satisfies readonly BlockSite[];
  const layers = Array.from({ length: config.layers }, (_, layer) => layer);
  return ['embedding', ...layers.flatMap((layer) => order.map((kind) => `layers.${layer}.${kind}`))];
}

/** Where the residual stream is what a site adds to: after its block; at the embedding, the embedding itself. */
export function residualOf(site: string): string {
  const layer = /^layers\.(\d+)\./.exec(site)?.[1];
  return layer === undefined ? 'embedding' : `layers.${layer}.residual`;
}

/** Parses a site name against a model. @throws SITE_UNKNOWN with the names that exist. */
export function parseSite(config: ModelConfig, name: string): Site {
  if (name === 'embedding') return { kind: 'embedding' };
  const [, digits, word] = /^layers\.(0|[1-9]\d*)\.([a-z]+)$/.exec(name) ?? [];
  const kind = BLOCK_SITES.find((known) => known === word);
  const layer = Number(digits);
  if (kind && layer < config.layers) return { kind, layer };
  return complain({
    code: 'SITE_UNKNOWN',
    owner: 'site',
    expected: `embedding, or layers.i.{${BLOCK_SITES.join(', ')}} with i from 0 to ${config.layers - 1}`,
    got: JSON.stringify(name),
    hint: 'name places that this model has',
  });
}

/** Width of a site's activation. @throws SITE_UNKNOWN */
export function siteWidth(config: ModelConfig, name: string): number {
  const site = parseSite(config, name);
  switch (site.kind) {
    case 'q':
      return config.heads * config.headWidth;
    case 'k':
    case 'v':
      return config.keyValueHeads * config.headWidth;
    case 'embedding':
    case 'attention':
    case 'mlp':
    case 'residual':
      return config.width;
  }
  return site satisfies never;
}

/**
 * δ at its tokens: [B,T,D], zero where the slot is −1 (by construction, whatever δ holds as long as it is finite).
 * @param delta_BPD one vector per slot. @param slots_BT int32, −1 for none.
 */
export function place(delta_BPD: Tensor, slots_BT: Tensor): Tensor {
  return ops.matMul(placement(slots_BT, delta_BPD.shape[1] as number), delta_BPD);
}

/** The activation at each slot, [B,P,D]: the mean over its tokens, zero where no token has it. @param slots P. */
export function atSlots(x_BTD: Tensor, slots_BT: Tensor, slots: number): Tensor {
  const placement_BTP = placement(slots_BT, slots);
  const [rows] = slots_BT.shape as [number];
  const tokens_BP1 = ops.reshape(ops.sum(placement_BTP, 1), [rows, slots, 1]);
  return ops.div(ops.matMul(placement_BTP, x_BTD, true), ops.maximum(tokens_BP1, 1));
}

function placement(slots_BT: Tensor, slots: number): Tensor {
  const [rows, columns] = slots_BT.shape as [number, number];
  const isSlot_BTP = ops.equal(ops.reshape(slots_BT, [rows, columns, 1]), ops.range(0, slots, 1, 'int32'));
  return ops.cast(isSlot_BTP, 'float32');
}

/** A visitor that adds each site's perturbation and leaves the other sites alone. @param deltas [B,P,D] by site. */
export function perturbing(deltas: Readonly<Record<string, Tensor>>, slots_BT: Tensor): Visit {
  return (site, x_BTD) => {
    const delta_BPD = deltas[site];
    return delta_BPD ? ops.add(x_BTD, place(delta_BPD, slots_BT)) : x_BTD;
  };
}
