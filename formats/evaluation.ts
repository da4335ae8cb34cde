/** @file What an arm's `evaluation.json` holds, as a schema: for whoever reads one back, from a disk or from afar. Depends on zod. */
import { z } from 'zod';

const share = z.number().min(0).max(1);
const intervalOf = (value: z.ZodNumber) => z.object({ estimate: value, low: value, high: value });
const interval = intervalOf(share);
const anywhere = intervalOf(z.number());
const count = z.int().positive();
const complete = (outcome: { readonly n: number; readonly outcomes: readonly unknown[] }): boolean =>
  outcome.outcomes.length === outcome.n;

const attack = z
  .object({
    n: count,
    counts: z.object({ comply: z.int().min(0), refuse: z.int().min(0), incoherent: z.int().min(0) }),
    comply: interval,
    outcomes: z.array(z.enum(['comply', 'refuse', 'incoherent'])),
    norms: z.record(z.string(), z.object({ mean: z.number(), max: z.number() })).exactOptional(),
  })
  .refine(complete, 'n outcomes');

const benign = z
  .object({
    n: count,
    correct: z.int().min(0),
    accuracy: interval,
    refused: z.number().min(0),
    outcomes: z.array(z.boolean()),
    likelihood: z.object({ tokens: count, crossEntropy: anywhere, perplexity: anywhere }).exactOptional(),
  })
  .refine(complete, 'n outcomes');

const notes = z.object({
  nearDuplicates: z.record(z.string(), z.int().min(0)),
  openings: z.int().min(0),
});

const quality = z.object({
  n: count,
  scale: z.tuple([z.number(), z.number()]),
  score: anywhere,
  scores: z.array(z.array(z.number())),
});

/** Held to `Evaluation` of the operators by those who read it as one. */
export const evaluationSchema = z.object({
  attacks: z.record(z.string(), attack),
  strongest: z.array(z.object({ attack: z.string(), comply: interval })).exactOptional(),
  benign: benign.nullable(),
  probes: z.record(z.string(), benign).exactOptional(),
  recall: z
    .record(z.string(), z.object({ n: count, chance: share, block: z.int().min(0), accuracy: interval }))
    .exactOptional(),
  quality: quality.exactOptional(),
  notes: notes.exactOptional(),
});
