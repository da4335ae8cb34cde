/** @file One example as tokens, and how rows become such. Types only. */
import type { Span } from './chat/spans.js';

/** Token ids of one example. A benign one has no adversarial completion, a text to be forgotten no desired one (none: empty). */
export interface Example {
  readonly prompt: readonly number[];
  readonly adversarial?: readonly number[];
  readonly desired: readonly number[];
  /** Tokens of the prompt that are to be predicted like the desired completion: the assistant's earlier turns. */
  readonly turns?: readonly Span[];
  /** What should stand in place of each token of the prompt, −100 for nothing: see `labelled.ts`. */
  readonly labels?: readonly number[];
}

/** How a row is tokenized. */
export interface TokenizeOptions {
  /** Longest sequence that the model takes, in tokens. */
  readonly context: number;
  /** What happens to an example that is longer; `cut` ends its completions, texts and labelled tokens there. */
  readonly overflow?: 'error' | 'drop' | 'cut';
  /** A system message before each prompt that brings none. */
  readonly system?: string;
  /** Which of the assistant's turns in a conversation losses are taken on: default `last`. */
  readonly turns?: 'last' | 'all';
  /** Who complains: dataset and row. */
  readonly owner: string;
}
