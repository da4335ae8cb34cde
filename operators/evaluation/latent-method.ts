/** @file The latent attack of an evaluation: a perturbation toward the compliant answer, under which the model generates. */
import { pack, type PackedBatch } from '../../datasets/index.js';
import type { AttackConfig } from '../config.js';
import type { Asking, Attempt, Method } from './method.js';

/** @param config of an attack on prompts. Does nothing to subjects that cannot be perturbed. */
export function latentMethod(name: string, config: AttackConfig): Method {
  return {
    name,
    attempt: async (asking, group) => {
      const prompts = group.map(({ promptTokens }) => promptTokens);
      const batch = pack(
        group.map(({ promptTokens, answerTokens, desiredTokens }) => ({
          prompt: promptTokens,
          adversarial: answerTokens,
          desired: desiredTokens ?? answerTokens,
        })),
        { attacked: 'prompt' },
      );
      return answeredUnder(asking, config, batch, prompts);
    },
  };
}

/**
 * Attacks a batch and asks its prompts under what was found.
 * @param slots by row and token, the vector that is added there; vector p at token p if not given.
 */
export async function answeredUnder(
  { subject, config: { maxNewTokens } }: Asking,
  attack: AttackConfig,
  batch: PackedBatch,
  prompts: readonly (readonly number[])[],
  slots?: readonly (readonly number[])[],
): Promise<readonly Attempt[]> {
  const perturbation = await subject.perturb?.(attack, batch);
  try {
    const norms = perturbation?.trace.at(-1)?.norms;
    const answers = await subject.answer(prompts, maxNewTokens, perturbation?.deltas, slots);
    return prompts.map((prompt, at) => ({
      prompt,
      given: 0,
      answer: answers[at] ?? [],
      ...(norms && { norms }),
    }));
  } finally {
    perturbation?.release();
  }
}
