/** @file Names, shapes and first values of a model's parameters. Knows nothing about files or programs. */
import { draws } from '../../foundation/index.js';
import { float32, sizeOf, type HostTensor } from '../tensor.js';
import type { ModelConfig } from './config.js';

/** Projections of a block, and where they live. */
export const PROJECTIONS = {
  q_proj: 'self_attn',
  k_proj: 'self_attn',
  v_proj: 'self_attn',
  o_proj: 'self_attn',
  gate_proj: 'mlp',
  up_proj: 'mlp',
  down_proj: 'mlp',
} as const;
export type Projection = keyof typeof PROJECTIONS;

/** [out, in] of a projection. */
export function projectionShape(config: ModelConfig, projection: Projection): readonly [number, number] {
  const { width, feedForwardWidth, heads, keyValueHeads, headWidth } = config;
  switch (projection) {
    case 'q_proj':
      return [heads * headWidth, width];
    case 'k_proj':
    case 'v_proj':
      return [keyValueHeads * headWidth, width];
    case 'o_proj':
      return [width, heads * headWidth];
    case 'gate_proj':
    case 'up_proj':
      return [feedForwardWidth, width];
    case 'down_proj':
      return [width, feedForwardWidth];
  }
  return projection satisfies never;
}

/** Shapes of all parameters by Hugging Face name. */
export function parameterShapes(config: ModelConfig): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {
    'model.embed_tokens.weight': [config.vocabularySize, config.width],
  };
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    shapes[`${prefix}.input_layernorm.weight`] = [config.width];
    shapes[`${prefix}.post_attention_layernorm.weight`] = [config.width];
    for (const [projection, part] of Object.entries(PROJECTIONS)) {
      const shape = projectionShape(config, projection as Projection);
      shapes[`${prefix}.${part}.${projection}.weight`] = shape;
      if (part === 'self_attn' ? config.attentionBias : config.mlpBias)
        shapes[`${prefix}.${part}.${projection}.bias`] = [shape[0]];
    }
  }
  shapes['model.norm.weight'] = [config.width];
  if (!config.tied) shapes['lm_head.weight'] = [config.vocabularySize, config.width];
  return shapes;
}

/** Fresh parameters as transformers makes them: matrices normal with the configured deviation, norms 1, biases 0. */
export function initialParameters(config: ModelConfig, seed: number): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(parameterShapes(config)).map(([name, shape]) => {
      if (name.endsWith('.bias')) return [name, float32(shape)];
      if (shape.length === 1) return [name, float32(shape, new Float32Array(sizeOf(shape)).fill(1))];
      const draw = draws(seed, 'parameter-init', name);
      const data = Float32Array.from(
        { length: sizeOf(shape) },
        () => draw.normal() * config.initializerRange,
      );
      return [name, float32(shape, data)];
    }),
  );
}
