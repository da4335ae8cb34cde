/** @file What a recipe says of checkpoints: how often, and which stay. Depends on zod. */
import { z } from 'zod';

const positive = z.int().positive();

export const checkpoint = z.strictObject({
  /** Steps between them; 0 for the last one alone. */
  every: z.int().nonnegative(),
  /** The last so many stay. */
  keep: positive,
  /** Beside these, those of every so many steps. */
  keepEvery: positive.exactOptional(),
  /** And those that a metric finds best, of the steps that measured it. */
  best: z
    .strictObject({
      metric: z.string().regex(/^(attack|defend|pool|evaluate)\.\w+$/, 'as in evaluate.latentComply'),
      is: z.enum(['least', 'greatest']),
      keep: positive,
    })
    .exactOptional(),
});
