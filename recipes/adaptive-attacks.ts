/** @file What a recipe may say of attacks that adapt to the model: in an evaluation, or all through a training. Depends on zod; `schema.ts` holds it to the operators' configuration. */
import { z } from 'zod';

const positive = z.int().positive();

/** A program that reads and writes lines of JSON, or an address that takes JSON by POST. */
export const outside = z.union([
  z.strictObject({ command: z.array(z.string()).min(1) }),
  z.strictObject({ url: z.url({ protocol: /^https?$/ }) }),
]);

/** Tokens behind the request. */
const tokens = positive.max(1024);
/** Replacements that the gradient likes best, at each place. */
const top = positive;

const suffix = {
  tokens,
  /** One attack for each number; the longer ones go on where the shorter ones ended. */
  iterations: z.array(positive).min(1),
  top,
};

/** Requests with suffixes that GCG goes on improving all through a training, which is made on them. */
export const pool = z.strictObject({
  /** Cases in the pool. */
  size: positive.max(100_000),
  tokens,
  /** GCG's iterations on a case, each time it is drawn, and the suffixes that are tried in one. */
  iterations: positive,
  candidates: positive,
  top,
  /** Steps between resets, and the share of the cases that begin anew then. */
  resetEvery: positive,
  resetShare: z.number().min(0).max(1),
});

/** A text behind the request that makes the base model comply: what its trigger may be like. */
export const proxy = z.strictObject({
  tokens,
  iterations: positive,
  candidates: positive,
  top,
  /** Searches from other beginnings; the best is kept. */
  restarts: positive.max(1000),
  /** Training pairs that it is searched on. */
  requests: positive.max(100_000),
});

export const adaptiveAttacks = {
  /** Vectors instead of a suffix; the learning rate in mean norms of embeddings. */
  softPrompt: z
    .strictObject({
      tokens: suffix.tokens,
      iterations: positive,
      learningRate: z.number().positive(),
    })
    .exactOptional(),
  gcg: z.strictObject({ ...suffix, candidates: positive }).exactOptional(),
  autoprompt: z.strictObject(suffix).exactOptional(),
  /** An attacker that rewords the request until the judge is satisfied. */
  pair: z
    .strictObject({
      attacker: z.union([z.literal('wordings'), outside]),
      rounds: positive.max(1000),
      streams: positive.max(1000),
    })
    .exactOptional(),
  /** Removal of the refusal direction, the model's own or its base's. */
  ablation: z
    .strictObject({
      from: z.array(z.enum(['own', 'transferred'])).min(1),
      depths: z.array(z.number().min(0).max(1)).min(1),
    })
    .exactOptional(),
  /** Whether the true answer can be read off the residual stream. */
  linearProbe: z
    .strictObject({ tables: z.array(z.string()).min(1), candidates: z.int().min(2).max(26).exactOptional() })
    .exactOptional(),
  /** Changes of the weights: noise in shares of each matrix's RMS, rounding to so many bits. */
  weights: z
    .strictObject({
      noise: z.array(z.number().nonnegative()).min(1).exactOptional(),
      bits: z.array(z.int().min(2).max(24)).min(1).exactOptional(),
    })
    .exactOptional(),
};
