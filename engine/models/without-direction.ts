/** @file A model that writes nothing along one direction of the residual stream. Depends on tensor operations only. */
import { complain } from '../../foundation/index.js';
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import type { ModelConfig } from './model-config.js';
import { blockPath, embeddingName } from './modules.js';
import { parameter } from './weights.js';

// D width

/**
 * The parameters that write to the residual stream, changed so that none writes along a direction: token and position
 * embeddings, the output projections of attention and MLP. What reads the embedding matrix as its head must be given the
 * old one. Inside programs.
 * @param direction_D of length 1.
 * @throws ABLATION_POST_NORM where a norm stands between projections and stream, which would bring the direction back.
 */
export function withoutDirection(config: ModelConfig, parameters: Named, direction_D: Tensor): Named {
  const { modules, width } = config;
  if (modules.postAttentionNorm !== null || modules.postMlpNorm !== null) refusePostNorms(config);
  const row_1D = ops.reshape(direction_D, [1, width]);
  /** Rows [N, D] without their part along the direction. */
  const cleaned = (rows_ND: Tensor): Tensor =>
    ops.sub(rows_ND, ops.matMul(ops.matMul(rows_ND, row_1D, false, true), row_1D));
  const changed: Record<string, Tensor> = {};
  const change = (name: string, how: (before: Tensor) => Tensor): void => {
    changed[name] = how(parameter(parameters, name));
  };
  change(embeddingName(modules), cleaned);
  if (modules.positions !== null) change(`${modules.base}.${modules.positions}.weight`, cleaned);
  for (let layer = 0; layer < config.layers; layer++)
    for (const { role, path, bias, inputsFirst } of modules.linears) {
      if (role !== 'o' && role !== 'down') continue;
      const name = `${blockPath(modules, layer)}.${path}`;
      change(`${name}.weight`, (weight) =>
        inputsFirst ? cleaned(weight) : ops.sub(weight, ops.matMul(row_1D, ops.matMul(row_1D, weight), true)),
      );
      if (bias)
        change(`${name}.bias`, (bias_D) => ops.reshape(cleaned(ops.reshape(bias_D, [1, width])), [width]));
    }
  return changed;
}

function refusePostNorms({ architecture }: ModelConfig): never {
  return complain({
    code: 'ABLATION_POST_NORM',
    owner: `ablation of ${architecture}`,
    expected: 'blocks whose projections write to the residual stream themselves',
    got: 'norms behind the projections',
    hint: 'leave evaluate.ablation out for this family',
  });
}
