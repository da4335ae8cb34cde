/** @file The modules of a model: what they are called in checkpoints, and what their weights look like. No tensors. */

/** What a linear module of a block is for. `qkv` and `gate_up` are fused: one module whose output is split. */
export type Role = 'q' | 'k' | 'v' | 'qkv' | 'o' | 'gate' | 'up' | 'gate_up' | 'down';

/** A linear module of a block. */
export interface Linear {
  readonly role: Role;
  /** Where it lives in its block: `self_attn.q_proj`. */
  readonly path: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
  /** Its weight is stored [inputs, outputs] (GPT-2's Conv1D) instead of [outputs, inputs]. */
  readonly inputsFirst: boolean;
}

/** Names of all modules. Those of a block are relative to it. */
export interface Modules {
  /** Path of the decoder in the checkpoint: `model`. */
  readonly base: string;
  readonly embedding: string;
  /** The table of learned positions. */
  readonly positions: string | null;
  /** The list of blocks. */
  readonly blocks: string;
  readonly finalNorm: string;
  /** The output head, which is not below `base`: its name in checkpoints, and others that occur. */
  readonly heads: readonly [string, ...string[]];
  readonly attentionNorm: string;
  readonly mlpNorm: string;
  /** Norms of what attention and MLP give, before it is added to the stream. */
  readonly postAttentionNorm: string | null;
  readonly postMlpNorm: string | null;
  /** RMSNorms of each query and key head. */
  readonly queryNorm: string | null;
  readonly keyNorm: string | null;
  /** In the order of the checkpoint. */
  readonly linears: readonly Linear[];
  /** True where a fused `qkv` holds q, k and v of the first head, then of the second, and so on. */
  readonly headwise: boolean;
}

/** Path of a block: `model.layers.3`. */
export function blockPath({ base, blocks }: Modules, layer: number): string {
  return `${base}.${blocks}.${layer}`;
}

/** Full name of the embedding matrix. */
export function embeddingName({ base, embedding }: Modules): string {
  return `${base}.${embedding}.weight`;
}

/** Full name of the output head's matrix, where it is not the embedding matrix. */
export function headName({ heads }: Modules): string {
  return `${heads[0]}.weight`;
}

/** Shape of a linear module's weight as it is stored. */
export function weightShape({ inputs, outputs, inputsFirst }: Linear): readonly [number, number] {
  return inputsFirst ? [inputs, outputs] : [outputs, inputs];
}
