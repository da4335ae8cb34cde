/** @file What a model is: dimensions, features and names, as plain data. Each family fills it from its `config.json`. */
import type { Activation } from './activation.js';
import type { Json } from './config-reader.js';
import type { Modules } from './modules.js';
import type { Rope } from './rope-config.js';

/** How a stream is normalised before a module reads it. */
export interface Norm {
  /** `rms`: x / rms(x) · w; `layer`: (x − mean) / deviation · w + b. */
  readonly kind: 'rms' | 'layer';
  readonly epsilon: number;
  /** Added to the stored weight (Gemma stores w − 1). */
  readonly offset: 0 | 1;
}

/** What attention does in one layer. */
export interface LayerAttention {
  /** Queries are multiplied by it. */
  readonly scale: number;
  /** A query sees keys less than this many positions back; null: all of them. */
  readonly window: number | null;
}

/** A decoder-only language model. */
export interface ModelConfig {
  /** Its Hugging Face class. */
  readonly architecture: string;
  readonly modelType: string;
  /** V: token ids are 0 … V−1. */
  readonly vocabularySize: number;
  /** D: width of the residual stream. */
  readonly width: number;
  /** F: width inside the MLP. */
  readonly feedForwardWidth: number;
  readonly layers: number;
  /** H query heads, in groups that share one of the G key-value heads, all of width K. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  /** Longest sequence, in tokens, that the model was made for. */
  readonly contextLength: number;
  readonly norm: Norm;
  /** Rotary positions; null where positions are learned vectors added to the embedding. */
  readonly rope: Rope | null;
  /** Token embeddings are multiplied by it. */
  readonly embeddingScale: number;
  /** By layer. */
  readonly attention: readonly LayerAttention[];
  /** Attention scores s become c·tanh(s/c); null: they stay. */
  readonly scoreSoftCap: number | null;
  /** The same for logits. */
  readonly logitSoftCap: number | null;
  readonly activation: Activation;
  /** MLP and attention read the same stream, and their outputs are added together. */
  readonly parallel: boolean;
  readonly modules: Modules;
  /** True where the output head is the embedding matrix. */
  readonly tied: boolean;
  /** Standard deviation of freshly made weights. */
  readonly initializerRange: number;
  readonly bosToken: number | null;
  readonly eosTokens: readonly number[];
  readonly padToken: number | null;
  /** The entries that this was read from. */
  readonly json: Json;
}
