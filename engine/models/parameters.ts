/** @file Names, shapes and first values of a model's parameters. Knows nothing about files or programs. */
import { draws } from '../../foundation/index.js';
import { float32, sizeOf, type HostTensor } from '../tensor.js';
import type { ModelConfig } from './model-config.js';
import { blockPath, embeddingName, headName, weightShape } from './modules.js';

/** Shapes of all parameters by Hugging Face name. */
export function parameterShapes(config: ModelConfig): Record<string, readonly number[]> {
  const { modules, width, vocabularySize } = config;
  const shapes: Record<string, readonly number[]> = { [embeddingName(modules)]: [vocabularySize, width] };
  const norm = (path: string, extent = width): void => {
    shapes[`${path}.weight`] = [extent];
    if (config.norm.kind === 'layer') shapes[`${path}.bias`] = [extent];
  };
  if (modules.positions !== null)
    shapes[`${modules.base}.${modules.positions}.weight`] = [config.contextLength, width];
  for (let layer = 0; layer < config.layers; layer++) {
    const block = blockPath(modules, layer);
    const { attentionNorm, mlpNorm, postAttentionNorm, postMlpNorm, queryNorm, keyNorm } = modules;
    for (const name of [attentionNorm, postAttentionNorm, mlpNorm, postMlpNorm])
      if (name !== null) norm(`${block}.${name}`);
    for (const name of [queryNorm, keyNorm]) if (name !== null) norm(`${block}.${name}`, config.headWidth);
    for (const linear of modules.linears) {
      shapes[`${block}.${linear.path}.weight`] = weightShape(linear);
      if (linear.bias) shapes[`${block}.${linear.path}.bias`] = [linear.outputs];
    }
  }
  norm(`${modules.base}.${modules.finalNorm}`);
  if (!config.tied) shapes[headName(modules)] = [vocabularySize, width];
  return shapes;
}

/** Fresh parameters as transformers makes them: matrices normal with the configured deviation, norms 1, biases 0. */
export function initialParameters(config: ModelConfig, seed: number): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(parameterShapes(config)).map(([name, shape]) => {
      if (name.endsWith('.bias')) return [name, float32(shape)];
      if (shape.length === 1)
        return [name, float32(shape, new Float32Array(sizeOf(shape)).fill(1 - config.norm.offset))];
      const draw = draws(seed, 'parameter-init', name);
      const data = Float32Array.from(
        { length: sizeOf(shape) },
        () => draw.normal() * config.initializerRange,
      );
      return [name, float32(shape, data)];
    }),
  );
}
