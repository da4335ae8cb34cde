/** @file Random weights and rows of a benchmark's shapes, made quickly: what they say does not matter, only their size. */
import { pack, type Example, type PackedBatch } from '../datasets/index.js';
import {
  float32,
  parameterShapes,
  parseModelConfig,
  sizeOf,
  type HostTensor,
  type ModelConfig,
} from '../engine/index.js';
import { draws, type Draws } from '../foundation/index.js';
import type { Shapes } from './shapes.js';

/** A prime, so that no two rows of a matrix repeat the same stretch. */
const POOL = 1_048_583;

export function modelConfig(shapes: Shapes): ModelConfig {
  return parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    vocab_size: shapes.vocab,
    hidden_size: shapes.hidden,
    intermediate_size: shapes.ffn,
    num_hidden_layers: shapes.layers,
    num_attention_heads: shapes.heads,
    num_key_value_heads: shapes.kv_heads,
    tie_word_embeddings: shapes.tied,
  });
}

/** All of {@link randomTensors}. */
export function randomParameters(config: ModelConfig): Record<string, HostTensor> {
  return Object.fromEntries(randomTensors(config));
}

/** Parameters and their names, one after the other: normal with deviation 0.02 from one pool of draws, norms 1. */
export function* randomTensors(config: ModelConfig): Generator<[string, HostTensor]> {
  const draw = draws(0, 'bench-parameters');
  const pool = Float32Array.from({ length: POOL }, () => draw.normal() * config.initializerRange);
  let at = 0;
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const data = new Float32Array(sizeOf(shape));
    if (shape.length === 1) data.fill(1);
    for (let from = 0; shape.length > 1 && from < data.length;) {
      const piece = pool.subarray(at, at + data.length - from);
      data.set(piece, from);
      from += piece.length;
      at = (at + piece.length) % POOL;
    }
    yield [name, float32(shape, data)];
  }
}

/** The two batches of a step: pairs, whose prompts are perturbed, and benign rows of the same size. */
export function randomBatches(
  shapes: Shapes,
  step = 0,
): { readonly pairs: PackedBatch; readonly benign: PackedBatch } {
  const draw = draws(step, 'bench-rows');
  const rows = (make: () => Example): Example[] => Array.from({ length: shapes.batch }, make);
  const ids = (length: number): number[] => randomTokens(draw, length, shapes.vocab);
  const pairs = rows(() => ({
    prompt: ids(shapes.prompt),
    adversarial: ids(shapes.completion),
    desired: ids(shapes.completion),
  }));
  const benign = rows(() => ({ prompt: ids(shapes.prompt), desired: ids(shapes.completion) }));
  return { pairs: pack(pairs), benign: pack(benign, { attacked: 'none' }) };
}

/** Token ids above the special ones. */
export function randomTokens(draw: Draws, length: number, vocabulary: number): number[] {
  return Array.from({ length }, () => 3 + draw.integer(vocabulary - 3));
}
