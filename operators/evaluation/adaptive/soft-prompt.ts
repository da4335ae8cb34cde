/** @file A suffix of vectors that are no tokens' embeddings, found by gradient and bounded by nothing. */
import { pack, type PackedBatch } from '../../../datasets/index.js';
import type { AttackConfig } from '../../config.js';
import type { SoftPromptConfig } from '../config.js';
import { answeredUnder } from '../latent-method.js';
import type { Method } from '../method.js';
import type { Suffix } from '../../suffix/suffix.js';
import { targetOf } from '../../suffix/target.js';
import { suffixFor } from './suffix-for.js';

/** In mean norms of embeddings: no vector gets there. */
const UNBOUNDED = 1e9;

/** Does nothing to subjects that cannot be perturbed. */
export function softPrompt({ tokens, iterations, learningRate }: SoftPromptConfig): Method {
  const attack: AttackConfig = {
    sites: ['embedding'],
    segments: 'prompt',
    epsilon: UNBOUNDED,
    radius: 'relative',
    iterations,
    learningRate,
    betas: [0.9, 0.999],
    adamEpsilon: 1e-8,
    weightDecay: 0,
    losses: { toward: 1 },
  };
  return {
    name: 'softPrompt',
    attempt: async (asking, group) => {
      const rows = group.map((question) => {
        const suffix = suffixFor(asking, question, tokens);
        const target = targetOf(asking.subject.tokenizer, question.answerTokens);
        return { prompt: promptOf(suffix, question.promptTokens), slots: slotsOf(suffix, tokens), target };
      });
      const examples = rows.map(({ prompt, target }) => ({ prompt, adversarial: target, desired: target }));
      const batch = atSlots(
        pack(examples),
        rows.map(({ slots }) => slots),
        tokens,
      );
      return answeredUnder(
        asking,
        attack,
        batch,
        rows.map(({ prompt }) => prompt),
        rows.map(({ slots }) => slots),
      );
    },
  };
}

function promptOf(suffix: Suffix | null, plain: readonly number[]): readonly number[] {
  return suffix ? [...suffix.before, ...suffix.filler, ...suffix.after] : plain;
}

/** The vector of each token up to the last that has one. */
function slotsOf(suffix: Suffix | null, tokens: number): readonly number[] {
  if (!suffix) return [];
  return [...suffix.before.map(() => -1), ...Array.from({ length: tokens }, (_, slot) => slot)];
}

/** The batch with vectors at these tokens of its rows only. */
function atSlots(batch: PackedBatch, rows: readonly (readonly number[])[], slotCount: number): PackedBatch {
  const slots = new Int32Array(batch.slots.length).fill(-1);
  rows.forEach((own, row) => slots.set(own, row * batch.length));
  return { ...batch, slots, slotCount };
}
