/** @file A model on an engine as something that answers questions and can be attacked. */
import type { Tokenizer } from '../../datasets/index.js';
import type { Engine } from '../../engine/index.js';
import { generate } from '../../engine/models/index.js';
import type { Attack } from '../attack/attack.js';
import type { AttackConfig } from '../config.js';
import type { Model, ModelWeights } from '../model.js';
import type { Subject } from './method.js';

/**
 * A subject for evaluations.
 * @param weights asked anew for every answer, since training moves them.
 * @param attackOf makes the attacks that {@link Subject.perturb} is asked for; without it, there are none.
 */
export function subjectOf(
  engine: Engine,
  model: Model,
  weights: () => ModelWeights,
  tokenizer: Tokenizer,
  attackOf: ((config: AttackConfig) => Attack) | null,
): Subject {
  const made = new Map<string, Attack>();
  const attackBy = (config: AttackConfig, make: (config: AttackConfig) => Attack): Attack => {
    const key = JSON.stringify(config);
    const attack = made.get(key) ?? make(config);
    made.set(key, attack);
    return attack;
  };
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
    ...(attackOf && {
      perturb: (config, batch) => attackBy(config, attackOf)(weights(), batch, { step: 0, seed: 0 }),
    }),
  };
}
