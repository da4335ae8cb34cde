/** @file The shapes of a benchmark, read from a JSON file. Knows nothing about models or programs. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { PRECISIONS } from '../engine/index.js';
import { complain } from '../foundation/index.js';

const count = z.int().positive();

const precision = z.enum(PRECISIONS);

const schema = z
  .strictObject({
    /** `step`: an attack and a defence. `gradient`: one loss, its gradient for the perturbation, all tokens labelled. */
    kind: z.enum(['step', 'gradient']).default('step'),
    vocab: count,
    hidden: count,
    ffn: count,
    layers: count,
    heads: count,
    kv_heads: count,
    tied: z.boolean().default(false),
    /** Rank of the adapters on q, k, v, o, up and down; 0 for none. */
    rank: z.int().nonnegative(),
    batch: count,
    /** Tokens of each prompt, and of each of its two completions. */
    prompt: z.int().nonnegative(),
    completion: count,
    /** `embedding`, or a block's number: the output of its MLP. */
    attack_layers: z.array(z.union([z.literal('embedding'), z.int().nonnegative()])).min(1),
    attack_iterations: z.int().nonnegative(),
    defence_iterations: z.int().nonnegative(),
    /** Steps that are timed, after one that is not. */
    repeats: count.default(5),
    threads: count.default(2),
    /** What backward passes read: held since the forward pass, or computed again block by block. */
    activations: z.enum(['keep', 'recompute']).default('keep'),
    /** What matrix products are computed in. */
    precision: precision.default('float32'),
    /** What frozen matrices are kept in; if not given, as `precision`. */
    weights: precision.exactOptional(),
  })
  .transform((shapes) => ({ ...shapes, weights: shapes.weights ?? shapes.precision }));

/** Shapes of the model, the batch and the step. Names and meaning as in the JSON files under `bench/configs`. */
export type Shapes = z.infer<typeof schema>;

/** @throws BENCH_CONFIG with what is wrong. */
export function parseShapes(json: unknown, owner = 'bench config'): Shapes {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return complain({
    code: 'BENCH_CONFIG',
    owner,
    expected: 'shapes as in bench/configs/small.json',
    got: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'something else'}`,
    hint: 'correct that key',
  });
}

/** Reads a configuration file. @throws BENCH_CONFIG */
export function readShapes(path: string): Shapes {
  try {
    return parseShapes(JSON.parse(readFileSync(path, 'utf8')), path);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof Error && 'syscall' in error)) throw error;
    return complain({
      code: 'BENCH_CONFIG',
      owner: path,
      expected: 'a JSON file with the shapes of a step',
      got: error.message,
      hint: 'see bench/configs for examples',
    });
  }
}

/** The site that an entry of `attack_layers` names. */
export function siteOf(layer: Shapes['attack_layers'][number]): string {
  return layer === 'embedding' ? layer : `layers.${layer}.mlp`;
}
