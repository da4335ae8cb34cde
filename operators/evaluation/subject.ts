/** @file A model on an engine as something that answers questions and can be attacked. */
import type { Tokenizer } from '../../datasets/index.js';
import type { Engine } from '../../engine/index.js';
import { generate } from '../../engine/models/index.js';
import type { Attack } from '../attack/attack.js';
import type { Subject } from './evaluate.js';
import type { Model, ModelWeights } from '../model.js';

/**
 * A subject for evaluations.
 * @param weights asked anew for every answer, since training moves them.
 * @param latent the attack that {@link Subject.perturb} makes; none without it.
 */
export function subjectOf(
  engine: Engine,
  model: Model,
  weights: () => ModelWeights,
  tokenizer: Tokenizer,
  latent: Attack | null,
): Subject {
  return {
    tokenizer,
    answer: async (prompts, maxNewTokens, deltas) => {
      const generated = await generate(
        engine,
        { ...model, ...weights() },
        {
          prompts,
          maxNewTokens,
          // Vectors sit at the tokens they were found for: slot p is position p.
          ...(deltas && {
            perturbation: { deltas, slots: prompts.map((prompt) => Int32Array.from(prompt.keys())) },
          }),
        },
      );
      return generated.map(({ tokens }) => tokens);
    },
    ...(latent && { perturb: (batch) => latent(weights(), batch, { step: 0, seed: 0 }) }),
  };
}
