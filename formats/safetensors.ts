/** @file Reads and writes safetensors files, tensor by tensor, as plain typed arrays. Imports nothing but errors. */
import type { FileHandle } from 'node:fs/promises';
import { complain } from '../foundation/index.js';
import { writeAtomically } from './atomic.js';
import { openFile } from './file.js';
import { toBits, type HalfType } from './half.js';
import {
  ELEMENT_BYTES,
  headerLength,
  parseHeader,
  type ElementType,
  type Header,
} from './safetensors-header.js';
import { readTensor, type StoredHalf, type StoredTensor } from './stored-tensor.js';

/** Tensors by name, and the file's free-form texts. */
export interface Safetensors<T = StoredTensor> {
  readonly tensors: Record<string, T>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How float32 tensors are stored. */
export type FloatType = 'F32' | 'F16' | 'BF16';

/**
 * Reads a file; F16 and BF16 become float32, I64 becomes int32.
 * @param wanted which tensors to read; all without it.
 * @param matrices what floats of more than one dimension become instead.
 * @throws SAFETENSORS_MISSING, SAFETENSORS_TRUNCATED, SAFETENSORS_HEADER, SAFETENSORS_DTYPE, SAFETENSORS_SIZE,
 *   SAFETENSORS_OVERLAP, SAFETENSORS_RANGE
 */
export async function readSafetensors(path: string, wanted?: (name: string) => boolean): Promise<Safetensors>;
export async function readSafetensors(
  path: string,
  wanted: (name: string) => boolean,
  matrices: HalfType | undefined,
): Promise<Safetensors<StoredTensor | StoredHalf>>;
export async function readSafetensors(
  path: string,
  wanted: (name: string) => boolean = () => true,
  matrices?: HalfType,
): Promise<Safetensors<StoredTensor | StoredHalf>> {
  return withFile(path, async (file, owner) => {
    const { header, start } = await headerOf(file, owner);
    const tensors: [string, StoredTensor | StoredHalf][] = [];
    for (const entry of header.entries.filter(({ name }) => wanted(name))) {
      const read = (from: number, into: Uint8Array): Promise<void> => fill(file, start + from, into, owner);
      tensors.push([entry.name, await readTensor(entry, read, owner, matrices)]);
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
  return toBits(floats === 'F16' ? 'float16' : 'bfloat16', data);
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
  const first = new Uint8Array(Math.min(8, size));
  await fill(file, 0, first, owner);
  const bytes = new Uint8Array(headerLength(first, size, owner));
  await fill(file, 8, bytes, owner);
  return { header: parseHeader(bytes, size - 8 - bytes.length, owner), start: 8 + bytes.length };
}

/** Node reads at most 2 GiB at once. */
const CHUNK = 2 ** 30;

/** Reads as many bytes as there is room for. @throws SAFETENSORS_TRUNCATED */
async function fill(file: FileHandle, position: number, into: Uint8Array, owner: string): Promise<void> {
  for (let done = 0; done < into.length;) {
    const view = into.subarray(done, done + CHUNK);
    const { bytesRead } = await file.read(view, 0, view.length, position + done);
    if (bytesRead === 0)
      complain({
        code: 'SAFETENSORS_TRUNCATED',
        owner,
        expected: `${into.length} bytes at ${position}`,
        got: `${done}`,
        hint: 'the file shrank while it was read: try again',
      });
    done += bytesRead;
  }
}
