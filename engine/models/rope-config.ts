/** @file Rotary position settings of a `config.json`, in the spelling of transformers 4 and 5. No tensors. */
import { complain } from '../../foundation/index.js';

/** How positions beyond the original context are reached. */
export type RopeScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      /** In tokens. */
      readonly originalContextLength: number;
    };

/** Rotary positions: base θ and scaling. */
export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads `rope_parameters` or `rope_theta` and `rope_scaling`. @throws MODEL_CONFIG for an unknown kind or a missing number. */
export function readRope(entries: Json, contextLength: number, owner: string): Rope {
  const joined = entries['rope_parameters'] as Json | null | undefined;
  const settings = joined ?? (entries['rope_scaling'] as Json | null | undefined) ?? {};
  const kind = settings['rope_type'] ?? settings['type'] ?? 'default';
  const number = (key: string, value: unknown): number =>
    typeof value === 'number' && value > 0
      ? value
      : complain({
          code: 'MODEL_CONFIG',
          owner,
          expected: `rope ${key}: a positive number`,
          got: value === undefined ? 'nothing' : JSON.stringify(value),
          hint: 'use the config.json that came with the model',
        });
  const theta = number('rope_theta', settings['rope_theta'] ?? entries['rope_theta'] ?? 10_000);
  const entry = (key: string): number => number(key, settings[key]);
  switch (kind) {
    case 'default':
      return { theta, scaling: null };
    case 'linear':
      return { theta, scaling: { kind: 'linear', factor: entry('factor') } };
    case 'llama3':
      return {
        theta,
        scaling: {
          kind: 'llama3',
          factor: entry('factor'),
          lowFrequencyFactor: entry('low_freq_factor'),
          highFrequencyFactor: entry('high_freq_factor'),
          originalContextLength: number(
            'original_max_position_embeddings',
            settings['original_max_position_embeddings'] ?? contextLength,
          ),
        },
      };
    default:
      return complain({
        code: 'MODEL_CONFIG',
        owner,
        expected: 'rope_type default, linear or llama3',
        got: JSON.stringify(kind),
        hint: 'choose a model with one of these rotary scalings',
      });
  }
}
