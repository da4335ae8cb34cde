/** @file What a generation is asked for. Types only. */
import type { Value } from '../tensor.js';
import type { ModelConfig } from './model-config.js';
import type { Sampling } from './sampling.js';

/** Weights that an engine holds. */
export interface GenerationModel {
  readonly config: ModelConfig;
  readonly parameters: Readonly<Record<string, Value>>;
  readonly adapters?: Readonly<Record<string, Value>>;
  /** alpha / rank. */
  readonly adapterScale?: number;
}

/** A latent perturbation that stays on while tokens are generated. */
export interface GenerationPerturbation {
  /** [B,P,D] by site. */
  readonly deltas: Readonly<Record<string, Value>>;
  /** Per row: the slot of each position, −1 for none; positions past its end (generated ones, perhaps) have none. */
  readonly slots: readonly ArrayLike<number>[];
}

/** What to generate. */
export interface GenerationRequest {
  /** Token ids per row, of any lengths but 0. */
  readonly prompts: readonly (readonly number[])[];
  /** A row also ends where the model's context does. */
  readonly maxNewTokens: number;
  /** Tokens that end a row; the model's end-of-sequence tokens if not given. */
  readonly stopTokens?: readonly number[];
  /** Asked after every new token of a row, with all of its new ones; true ends the row. */
  readonly stop?: (tokens: readonly number[], row: number) => boolean;
  /** Greedy if not given. Each draw is a function of seed, row key and position alone. */
  readonly sampling?: Sampling;
  /** What each row draws by; its number if not given. */
  readonly rowKeys?: readonly (number | string)[];
  readonly perturbation?: GenerationPerturbation;
  /** On which side prompts are padded inside; results do not depend on it. */
  readonly padding?: 'left' | 'right';
}
