/** @file The latent attack of an evaluation: a perturbation toward the compliant answer, under which the model generates. */
import { pack } from '../../datasets/index.js';
import type { AttackConfig } from '../config.js';
import type { Attempt, Method } from './method.js';

/** @param config of an attack on prompts. Does nothing to subjects that cannot be perturbed. */
export function latentMethod(name: string, config: AttackConfig): Method {
  return {
    name,
    attempt: async ({ subject, config: { maxNewTokens } }, group) => {
      const prompts = group.map(({ promptTokens }) => promptTokens);
      const batch = pack(
        group.map(({ promptTokens, answerTokens, desiredTokens }) => ({
          prompt: promptTokens,
          adversarial: answerTokens,
          desired: desiredTokens ?? answerTokens,
        })),
        { attacked: 'prompt' },
      );
      const perturbation = await subject.perturb?.(config, batch);
      try {
        const norms = perturbation?.trace.at(-1)?.norms;
        const answers = await subject.answer(prompts, maxNewTokens, perturbation?.deltas);
        return prompts.map((prompt, at): Attempt => ({
          prompt,
          given: 0,
          answer: answers[at] ?? [],
          ...(norms && { norms }),
        }));
      } finally {
        perturbation?.release();
      }
    },
  };
}
