/** @file Tensors of a model file, and how one is read in the type that is wanted: in a buffer of its own, and little beside it. */
import { complain } from '../foundation/index.js';
import { fromBits, toBits, type HalfType } from './half.js';
import type { Entry } from './safetensors-header.js';

/** A dense row-major tensor, in a buffer of its own. */
export interface StoredTensor {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Bit patterns of 16-bit floats, in a buffer of their own. */
export interface StoredHalf {
  readonly dtype: HalfType;
  readonly shape: readonly number[];
  readonly data: Uint16Array;
}

/** Fills `into` from a byte of the file on. */
export type ReadBytes = (from: number, into: Uint8Array) => Promise<void>;

type Float = 'float32' | HalfType;
type Floats = Float32Array | Uint16Array;

/**
 * Reads a tensor. Floats become float32, or 16-bit floats where asked: as stored where they are these, else rounded piece by piece.
 * @param matrices what floats of more than one dimension become: float32 if not given. @param owner of the file, for messages.
 * @throws SAFETENSORS_RANGE, and what `read` throws
 */
export async function readTensor(
  { name, type, shape, begin, end }: Entry,
  read: ReadBytes,
  owner: string,
  matrices?: HalfType,
): Promise<StoredTensor | StoredHalf> {
  const kept = (shape.length > 1 && matrices) || 'float32';
  switch (type) {
    case 'F32':
    case 'F16':
    case 'BF16': {
      const data = await readFloats(FLOATS[type], kept, { begin, end }, read);
      return { dtype: kept, shape, data } as StoredTensor | StoredHalf;
    }
    case 'I32':
    case 'I64': {
      const bytes = new Uint8Array(end - begin);
      await read(begin, bytes);
      const data =
        type === 'I32'
          ? new Int32Array(bytes.buffer)
          : narrowed(new BigInt64Array(bytes.buffer), `${owner}, tensor ${name}`);
      return { dtype: 'int32', shape, data };
    }
  }
  return type satisfies never;
}

const FLOATS = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** Elements that are converted at once: what is held beside the result is some megabytes. */
const PIECE = 2 ** 20;

async function readFloats(
  stored: Float,
  kept: Float,
  { begin, end }: Pick<Entry, 'begin' | 'end'>,
  read: ReadBytes,
): Promise<Floats> {
  const width = stored === 'float32' ? 4 : 2;
  const count = (end - begin) / width;
  const data = floats(kept, count);
  if (stored === kept) {
    await read(begin, bytesOf(data));
    return data;
  }
  const scratch = floats(stored, Math.min(PIECE, count));
  const between = new Float32Array(stored !== 'float32' && kept !== 'float32' ? scratch.length : 0);
  for (let at = 0; at < count; at += PIECE) {
    const piece = scratch.subarray(0, count - at);
    await read(begin + at * width, bytesOf(piece));
    const into = data.subarray(at, at + piece.length);
    const wide = kept === 'float32' ? (into as Float32Array) : between.subarray(0, piece.length);
    const values =
      stored === 'float32' ? (piece as Float32Array) : fromBits(stored, piece as Uint16Array, wide);
    if (kept !== 'float32') toBits(kept, values, into as Uint16Array);
  }
  return data;
}

function floats(type: Float, count: number): Floats {
  return type === 'float32' ? new Float32Array(count) : new Uint16Array(count);
}

function bytesOf({ buffer, byteOffset, byteLength }: Floats): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function narrowed(wide: BigInt64Array, owner: string): Int32Array {
  return Int32Array.from({ length: wide.length }, (_, index) => {
    const value = wide[index] as bigint;
    if (BigInt.asIntN(32, value) === value) return Number(value);
    return complain({
      code: 'SAFETENSORS_RANGE',
      owner,
      expected: 'integers of 32 bits',
      got: `${value} at ${index}`,
      hint: 'store smaller integers',
    });
  });
}
