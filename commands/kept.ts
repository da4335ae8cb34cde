/** @file An evaluation that a run kept, read back: checked, for files can be damaged or changed. */
import { z } from 'zod';
import { OUTCOMES, type Evaluation } from '../operators/index.js';
import { corruptPart, parsedPart } from './directory.js';

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
    outcomes: z.array(z.enum(OUTCOMES)),
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

const evaluation = z.object({
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

/** @throws RUN_CORRUPT where the text is no evaluation */
export function keptEvaluation(text: string, path: string): Evaluation {
  const { data, error } = evaluation.safeParse(parsedPart(text, path));
  if (data) return data;
  const issue = error.issues[0];
  return corruptPart(
    path,
    'an evaluation',
    `${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'unlike one'}`,
  );
}
