/** @file Rotary settings of a Hugging Face configuration from GGUF metadata and tables of frequency factors. */
import { complain } from '../../foundation/index.js';
import type { Metadata } from './metadata.js';

/** Elements of a small tensor by GGUF name; undefined where there is none. */
export type ReadTable = (name: string) => Promise<Float32Array | undefined>;

/**
 * Base, scaling and share of a head that rotates, in the spelling of transformers 4.
 * @throws GGUF_ROPE for settings that no Hugging Face configuration says.
 */
export async function rotarySettings(
  metadata: Metadata,
  architecture: string,
  headWidth: number,
  table: ReadTable,
): Promise<Record<string, unknown>> {
  const theta = metadata.number(`${architecture}.rope.freq_base`) ?? 10_000;
  const rotating = metadata.number(`${architecture}.rope.dimension_count`) ?? headWidth;
  const share = rotating / headWidth;
  const partial = architecture === 'gptneox' || architecture === 'phi3';
  if (share !== 1 && !partial)
    unknown(metadata, `${architecture} heads that rotate whole`, `${rotating} of ${headWidth}`);
  return {
    rope_theta: theta,
    rope_scaling: await scalingOf(metadata, architecture, { theta, rotating }, table),
    ...(architecture === 'gptneox' && { rotary_pct: share, rotary_emb_base: theta }),
    ...(architecture === 'phi3' && { partial_rotary_factor: share }),
  };
}

async function scalingOf(
  metadata: Metadata,
  architecture: string,
  rope: { readonly theta: number; readonly rotating: number },
  table: ReadTable,
): Promise<Record<string, unknown> | null> {
  const key = `${architecture}.rope.scaling`;
  const original = metadata.number(`${key}.original_context_length`);
  const [long, short] = [await table('rope_factors_long.weight'), await table('rope_factors_short.weight')];
  if (long && short)
    return {
      rope_type: 'longrope',
      long_factor: [...long],
      short_factor: [...short],
      original_max_position_embeddings: original,
    };
  const factors = await table('rope_freqs.weight');
  if (factors?.some((each) => each !== 1)) return llama3(metadata, rope, factors);
  const factor = metadata.number(`${key}.factor`) ?? metadata.number(`${architecture}.rope.scale_linear`);
  const kind = metadata.text(`${key}.type`) ?? (factor === undefined ? 'none' : 'linear');
  if (kind === 'none' || factor === undefined) return null;
  return {
    rope_type: kind,
    factor,
    ...(original !== undefined && { original_max_position_embeddings: original }),
  };
}

/**
 * Llama 3's scaling is in the file as what it does to each frequency. The settings behind it are found by trying: the
 * ratio of its two limits is 4 in every Llama, and the original context a power of two.
 */
function llama3(
  metadata: Metadata,
  { theta, rotating }: { readonly theta: number; readonly rotating: number },
  factors: Float32Array,
): Record<string, unknown> {
  const factor = factors.reduce((largest, each) => Math.max(largest, each), 1);
  const expected = (original: number, index: number): number => {
    const wavelength = 2 * Math.PI * theta ** ((2 * index) / rotating);
    const smooth = Math.min(1, Math.max(0, (original / wavelength - 1) / 3));
    return 1 / ((1 - smooth) / factor + smooth);
  };
  for (let original = 8192, tried = 0; tried < 24; tried++, original = 2 ** tried)
    if (
      factors.length === rotating / 2 &&
      factors.every((each, index) => Math.abs(each / expected(original, index) - 1) < 1e-4)
    )
      return {
        rope_type: 'llama3',
        factor,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: original,
      };
  return unknown(metadata, 'rope_freqs as Llama 3 scales them', `[${factors.slice(0, 8).join(', ')}, …]`);
}

function unknown(metadata: Metadata, expected: string, got: string): never {
  return complain({
    code: 'GGUF_ROPE',
    owner: metadata.owner,
    expected,
    got,
    hint: 'use the model in Hugging Face format',
  });
}
