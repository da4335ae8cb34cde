/** @file Reads and writes safetensors files, tensor by tensor, as plain typed arrays. Imports nothing but errors. */
import type { FileHandle } from 'node:fs/promises';
import { complain } from '../foundation/index.js';
import { writeAtomically } from './atomic.js';
import { openFile } from './file.js';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from './half.js';
import {
  ELEMENT_BYTES,
  headerLength,
  parseHeader,
  type ElementType,
  type Entry,
  type Header,
} from './safetensors-header.js';

/** A dense row-major tensor, in a buffer of its own. */
export interface StoredTensor {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Tensors by name, and the file's free-form texts. */
export interface Safetensors {
  readonly tensors: Record<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How float32 tensors are stored. */
export type FloatType = 'F32' | 'F16' | 'BF16';

/**
 * Reads a file; F16 and BF16 become float32, I64 becomes int32.
 * @param wanted which tensors to read; all without it.
 * @throws SAFETENSORS_MISSING, SAFETENSORS_TRUNCATED, SAFETENSORS_HEADER, SAFETENSORS_DTYPE, SAFETENSORS_SIZE,
 *   SAFETENSORS_OVERLAP, SAFETENSORS_RANGE
 */
export async function readSafetensors(
  path: string,
  wanted: (name: string) => boolean = () => true,
): Promise<Safetensors> {
  return withFile(path, async (file, owner) => {
    const { header, start } = await headerOf(file, owner);
    const tensors: [string, StoredTensor][] = [];
    for (const entry of header.entries.filter(({ name }) => wanted(name))) {
      const bytes = await readAt(file, start + entry.begin, entry.end - entry.begin, owner);
      tensors.push([entry.name, decoded(entry, bytes, owner)]);
    }
    // Defines names like `__proto__`, which an assignment would not.
    return { tensors: Object.fromEntries(tensors), metadata: header.metadata };
  });
}

/** Names, types and shapes without the data. @throws as {@link readSafetensors}, but SAFETENSORS_RANGE */
export async function readSafetensorsHeader(path: string): Promise<Header> {
  return withFile(path, async (file, owner) => (await headerOf(file, owner)).header);
}

/**
 * Writes a file atomically, names in the order given.
 * @param options.floats how float32 tensors are stored (default F32).
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  options: { readonly metadata?: Readonly<Record<string, string>>; readonly floats?: FloatType } = {},
): Promise<void> {
  const floats = options.floats ?? 'F32';
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const type: ElementType = dtype === 'int32' ? 'I32' : floats;
    const begin = end;
    end += data.length * ELEMENT_BYTES[type];
    return [name, { dtype: type, shape, data_offsets: [begin, end] }] as const;
  });
  const texts = options.metadata ? { __metadata__: options.metadata } : {};
  const header: Record<string, unknown> = { ...texts, ...Object.fromEntries(entries) };
  await writeAtomically(path, chunks(header, tensors, floats));
}

function* chunks(
  header: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, StoredTensor>>,
  floats: FloatType,
): Generator<Uint8Array> {
  const text = Buffer.from(JSON.stringify(header), 'utf8');
  // Spaces keep the data aligned to 8 bytes.
  const length = Math.ceil(text.length / 8) * 8;
  const start = Buffer.alloc(8 + length, ' ');
  start.writeBigUInt64LE(BigInt(length), 0);
  text.copy(start, 8);
  yield start;
  for (const { data } of Object.values(tensors)) {
    const words = data instanceof Float32Array ? encoded(data, floats) : data;
    yield new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  }
}

function encoded(data: Float32Array, floats: FloatType): Float32Array | Uint16Array {
  if (floats === 'F32') return data;
  return floats === 'F16' ? toHalf(data) : toBfloat16(data);
}

function decoded({ name, type, shape }: Entry, bytes: ArrayBuffer, owner: string): StoredTensor {
  switch (type) {
    case 'F32':
      return { dtype: 'float32', shape, data: new Float32Array(bytes) };
    case 'F16':
      return { dtype: 'float32', shape, data: fromHalf(new Uint16Array(bytes)) };
    case 'BF16':
      return { dtype: 'float32', shape, data: fromBfloat16(new Uint16Array(bytes)) };
    case 'I32':
      return { dtype: 'int32', shape, data: new Int32Array(bytes) };
    case 'I64':
      return { dtype: 'int32', shape, data: narrowed(new BigInt64Array(bytes), `${owner}, tensor ${name}`) };
  }
  return type satisfies never;
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

async function withFile<T>(path: string, use: (file: FileHandle, owner: string) => Promise<T>): Promise<T> {
  const owner = `safetensors ${path}`;
  let file: FileHandle;
  try {
    file = await openFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return complain(
      {
        code: code === 'EISDIR' || code === 'ENOTFILE' ? 'SAFETENSORS_NOT_FILE' : 'SAFETENSORS_MISSING',
        owner,
        expected: 'a file that can be read',
        got: code === undefined ? String(error) : `${code} (${(error as Error).message})`,
        hint: 'check the path',
      },
      { cause: error },
    );
  }
  try {
    return await use(file, owner);
  } finally {
    await file.close();
  }
}

async function headerOf(file: FileHandle, owner: string): Promise<{ header: Header; start: number }> {
  const { size } = await file.stat();
  const first = new Uint8Array(await readAt(file, 0, Math.min(8, size), owner));
  const length = headerLength(first, size, owner);
  const bytes = new Uint8Array(await readAt(file, 8, length, owner));
  return { header: parseHeader(bytes, size - 8 - length, owner), start: 8 + length };
}

/** Node reads at most 2 GiB at once. */
const CHUNK = 2 ** 30;

async function readAt(
  file: FileHandle,
  position: number,
  length: number,
  owner: string,
): Promise<ArrayBuffer> {
  const buffer = new ArrayBuffer(length);
  for (let done = 0; done < length;) {
    const view = new Uint8Array(buffer, done, Math.min(CHUNK, length - done));
    const { bytesRead } = await file.read(view, 0, view.length, position + done);
    if (bytesRead === 0)
      complain({
        code: 'SAFETENSORS_TRUNCATED',
        owner,
        expected: `${length} bytes at ${position}`,
        got: `${done}`,
        hint: 'the file shrank while it was read: try again',
      });
    done += bytesRead;
  }
  return buffer;
}
