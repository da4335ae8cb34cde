/** @file A model on an engine as something that answers questions and can be attacked. */
import type { Tokenizer } from '../../datasets/index.js';
import type { Engine, Value } from '../../engine/index.js';
import { generate } from '../../engine/models/index.js';
import type { Attack } from '../attack/attack.js';
import type { AttackConfig } from '../config.js';
import type { Model, ModelWeights } from '../model.js';
import type { PerSite } from '../perturbation.js';
import { insideOf } from './adaptive/inside.js';
import type { Subject } from './method.js';

/**
 * A subject for evaluations.
 * @param weights asked anew for every answer, since training moves them.
 * @param attackOf makes the attacks that {@link Subject.perturb} is asked for; without it, there are none.
 * @param base parameters before any training, which attacks may be found on; if not given, there was none but of adapters.
 */
export function subjectOf(
  engine: Engine,
  model: Model,
  weights: () => ModelWeights,
  tokenizer: Tokenizer,
  attackOf: ((config: AttackConfig) => Attack) | null,
  base: PerSite<Value> = weights().parameters,
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
    answer: async (prompts, maxNewTokens, deltas, slots) => {
      const generated = await generate(
        engine,
        { ...model, ...weights() },
        {
          prompts,
          maxNewTokens,
          ...(deltas && {
            perturbation: {
              deltas,
              slots: slots ?? prompts.map((prompt) => Int32Array.from(prompt.keys())),
            },
          }),
        },
      );
      return generated.map(({ tokens }) => tokens);
    },
    inside: insideOf(engine, model, weights, base, (changed, own) =>
      subjectOf(engine, changed, () => own, tokenizer, null),
    ),
    ...(attackOf && {
      perturb: (config, batch) => attackBy(config, attackOf)(weights(), batch, { step: 0, seed: 0 }),
    }),
  };
}
