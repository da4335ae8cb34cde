/** @file What a family of models is: how its `config.json` becomes a {@link ModelConfig}. No tensors. */
import type { ConfigReader } from '../config-reader.js';
import type { LayerAttention, ModelConfig } from '../model-config.js';

/** What every family reads alike; the rest is its own. */
export type Shared = 'architecture' | 'modelType' | 'tied' | 'initializerRange' | 'json';
export type Tokens = 'bosToken' | 'eosTokens' | 'padToken';

/** One Hugging Face architecture. */
export interface Family {
  readonly architecture: string;
  readonly modelType: string;
  /** `tie_word_embeddings` where the configuration does not say. */
  readonly tied: boolean;
  /** @throws MODEL_CONFIG for a missing or impossible entry, and for one that asks for what is not computed. */
  readonly read: (reader: ConfigReader) => Omit<ModelConfig, Shared | Tokens>;
}

/** The same attention in every layer. */
export function uniform(layers: number, attention: LayerAttention): LayerAttention[] {
  return Array.from({ length: layers }, () => attention);
}

/** Windows by layer as `layer_types` names them, or as `slides` says where there is no such entry. */
export function windows(
  reader: ConfigReader,
  layers: number,
  window: number | null,
  slides: (layer: number) => boolean,
): (number | null)[] {
  const given = reader.words(
    'layer_types',
    ['full_attention', 'attention', 'sliding_attention'] as const,
    layers,
  );
  return Array.from({ length: layers }, (_, layer) => {
    const sliding = given ? given[layer] === 'sliding_attention' : slides(layer);
    if (sliding && window === null)
      reader.fail('sliding_window', 'a number of tokens, for the layers that slide', window);
    return sliding ? window : null;
  });
}
