/** @file What a recipe may say of an attack. Depends on zod; `schema.ts` holds it to the operators' configuration. */
import { z } from 'zod';
import { objectives, pairLosses } from './objectives.js';

const count = z.int().nonnegative();
const positive = z.int().positive();
const rate = z.number().nonnegative();

/** AdamW's settings, of attacks and defences. */
export const ADAMW = {
  learningRate: rate,
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]),
  adamEpsilon: z.number().positive(),
  weightDecay: rate,
};

/** What δ is made of. */
const adversary = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('free') }),
  z.strictObject({ kind: z.literal('low-rank'), rank: positive }),
  z.strictObject({ kind: z.literal('full-rank') }),
  z.strictObject({
    kind: z.literal('whitened'),
    components: positive.exactOptional(),
    batches: positive.exactOptional(),
  }),
]);

export const attack = z.strictObject({
  sites: z.union([z.literal('all'), z.array(z.string()).min(1)]),
  segments: z.enum(['prompt', 'prompt+completions']),
  epsilon: rate,
  /** `relative`: ε and the learning rate are fractions of the geometric mean norm of the residual stream. */
  radius: z.enum(['absolute', 'relative']).exactOptional(),
  per: z.enum(['token', 'example']).exactOptional(),
  adversary: adversary.exactOptional(),
  /** `noise`: no gradients, a random direction at radius ε. */
  search: z.enum(['gradient', 'noise']).exactOptional(),
  start: z.enum(['zero', 'random']).exactOptional(),
  /** Searches from several starts, of which each example keeps the strongest. */
  restarts: positive.max(1000).exactOptional(),
  step: z.enum(['adamw', 'sign', 'normalized']).exactOptional(),
  l2: rate.exactOptional(),
  clipNorm: z.number().positive().exactOptional(),
  iterations: count,
  ...ADAMW,
  losses: z.strictObject(pairLosses),
  objectives: objectives.exactOptional(),
  normalizeCoefficients: z.boolean().exactOptional(),
});
