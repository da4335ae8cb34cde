/** @file The header of a GGUF file, checked against the file's size. Reads no file itself. */
import { complain } from '../../foundation/index.js';
import { ARRAY, Cursor, LIMITS, TEXT, VALUE_BYTES } from './cursor.js';
import { Metadata, type StoredValue } from './metadata.js';
import { LAYOUTS, typeNamed, type GgufType } from './types.js';

/** Where a tensor is in the file. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgufType;
  /** Outermost extent first: row-major, the other way round than the file has it. */
  readonly shape: readonly number[];
  /** Offset from the file's start, in bytes. */
  readonly begin: number;
  readonly bytes: number;
}

/** A checked header. */
export interface GgufHeader {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Parses and checks a header: known types, possible shapes, tensors inside the file that do not overlap.
 * @param bytes the file from its start on. @param fileSize in bytes.
 * @throws HeaderGoesOn where `bytes` end before the header does, and GGUF_MAGIC, GGUF_VERSION, GGUF_HEADER, GGUF_TEXT,
 *   GGUF_TRUNCATED, GGUF_LIMIT, GGUF_TYPE, GGUF_SHAPE, GGUF_OVERLAP, GGUF_SPLIT, GGUF_METADATA
 */
export function parseGgufHeader(bytes: Uint8Array, fileSize: number, owner: string): GgufHeader {
  const cursor = new Cursor(bytes, fileSize, owner);
  checkStart(cursor);
  // The least that a tensor and an entry of metadata take.
  const tensors = checkedCount(cursor, 'number of tensors', 24);
  const entries = checkedCount(cursor, 'number of metadata entries', 13);
  const values = new Map<string, StoredValue>();
  for (let index = 0; index < entries; index++) {
    const key = cursor.read('a metadata key');
    if (values.has(key)) cursor.fail('GGUF_HEADER', 'every metadata key once', `${key} again`);
    values.set(key, readValue(cursor, key));
  }
  const metadata = new Metadata(values, bytes, owner);
  if ((metadata.number('split.count') ?? 1) > 1)
    complain({
      code: 'GGUF_SPLIT',
      owner,
      expected: 'a model in one file',
      got: `one of ${metadata.number('split.count') ?? 0} parts`,
      hint: 'join them with llama-gguf-split --merge',
    });
  const infos = Array.from({ length: tensors }, () => readTensor(cursor));
  const alignment = checkedAlignment(metadata);
  const start = Math.ceil(cursor.at / alignment) * alignment;
  return { metadata, tensors: placed(infos, start, alignment, cursor) };
}

function checkStart(cursor: Cursor): void {
  const { bytes, owner } = cursor;
  const at = cursor.skip(4);
  const magic = String.fromCharCode(...bytes.subarray(at, at + 4));
  if (magic !== 'GGUF') cursor.fail('GGUF_MAGIC', 'a file that begins with GGUF', JSON.stringify(magic));
  const version = cursor.u32();
  if (version === 2 || version === 3) return;
  const swapped = version === 0x03000000 || version === 0x02000000;
  complain({
    code: 'GGUF_VERSION',
    owner,
    expected: 'GGUF version 2 or 3, little endian',
    got: swapped ? 'big endian' : `version ${version}`,
    hint: 'convert the model again, with a present llama.cpp',
  });
}

function checkedCount(cursor: Cursor, what: string, least: number): number {
  const count = cursor.count(what);
  if (count * least > cursor.fileSize)
    cursor.fail('GGUF_TRUNCATED', `a ${what} that fits ${cursor.fileSize} bytes`, `${count}`);
  if (count > LIMITS.entries) cursor.fail('GGUF_LIMIT', `a ${what} of at most ${LIMITS.entries}`, `${count}`);
  return count;
}

function readValue(cursor: Cursor, key: string): StoredValue {
  const type = cursor.u32();
  if (type === TEXT) return cursor.read(key);
  if (type !== ARRAY) return cursor.value(fixedType(cursor, type, key));
  const inner = cursor.u32();
  if (inner !== TEXT) fixedType(cursor, inner, `${key}, an array`);
  const length = cursor.count(`length of ${key}`);
  if (length * (VALUE_BYTES[inner] ?? 8) > cursor.fileSize)
    cursor.fail('GGUF_TRUNCATED', `a length of ${key} that fits ${cursor.fileSize} bytes`, `${length}`);
  if (length > LIMITS.arrayLength)
    cursor.fail('GGUF_LIMIT', `at most ${LIMITS.arrayLength} elements of ${key}`, `${length}`);
  const { at } = cursor;
  if (inner !== TEXT) cursor.skip(length * (VALUE_BYTES[inner] as number));
  else for (let index = 0; index < length; index++) cursor.text(key);
  return { type: inner, length, at };
}

function fixedType(cursor: Cursor, type: number, what: string): number {
  if (VALUE_BYTES[type] !== undefined) return type;
  return cursor.fail('GGUF_HEADER', `a known type of ${what}`, `type ${type}`);
}

function readTensor(cursor: Cursor): GgufTensor {
  const name = cursor.read('a tensor name');
  const owner = `${cursor.owner}, tensor ${name}`;
  const dimensions = cursor.u32();
  const impossible = (got: string): never =>
    complain({
      code: 'GGUF_SHAPE',
      owner,
      expected: `1 to ${LIMITS.dimensions} extents, the last a multiple of the type's block`,
      got,
      hint: 'the file is damaged: fetch it again',
    });
  if (dimensions < 1 || dimensions > LIMITS.dimensions) impossible(`${dimensions} extents`);
  const shape = Array.from({ length: dimensions }, () => cursor.count('extent')).reverse();
  const { type, name: typeName } = typeNamed(cursor.u32());
  if (type === undefined)
    return complain({
      code: 'GGUF_TYPE',
      owner,
      expected: `one of ${Object.keys(LAYOUTS).join(', ')}`,
      got: typeName,
      hint: 'choose a file with another quantisation of the model',
    });
  const { elements, bytes } = LAYOUTS[type];
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (!Number.isSafeInteger(size * bytes) || (shape.at(-1) as number) % elements !== 0)
    impossible(`${type} [${shape.join(', ')}]`);
  return { name, type, shape, begin: cursor.count('offset'), bytes: (size / elements) * bytes };
}

function checkedAlignment(metadata: Metadata): number {
  const key = 'general.alignment';
  const alignment = metadata.number(key) ?? 32;
  const possible = Number.isInteger(Math.log2(alignment)) && alignment >= 1 && alignment <= 2 ** 20;
  return possible ? alignment : metadata.fail(key, 'a power of two', `${alignment}`);
}

/** The tensors with offsets from the file's start. */
function placed(
  infos: readonly GgufTensor[],
  start: number,
  alignment: number,
  cursor: Cursor,
): ReadonlyMap<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  let reached = start;
  let before = 'the header';
  for (const info of [...infos].sort((a, b) => a.begin - b.begin || a.bytes - b.bytes)) {
    const begin = start + info.begin;
    const end = begin + info.bytes;
    const owner = `${cursor.owner}, tensor ${info.name}`;
    const overlap = (expected: string): never =>
      complain({ code: 'GGUF_OVERLAP', owner, expected, got: `from ${begin}`, hint: 'the file is damaged' });
    if (info.begin % alignment !== 0) overlap(`data aligned to ${alignment} bytes`);
    if (begin < reached) overlap(`data from byte ${reached} on, where ${before} ends`);
    if (end > cursor.fileSize)
      complain({
        code: 'GGUF_TRUNCATED',
        owner,
        expected: `a file of at least ${end} bytes`,
        got: `${cursor.fileSize}`,
        hint: 'the file is cut off: fetch it again',
      });
    if (tensors.has(info.name)) cursor.fail('GGUF_HEADER', 'every tensor once', `${info.name} again`);
    tensors.set(info.name, { ...info, begin });
    [reached, before] = [end, `tensor ${info.name}`];
  }
  return tensors;
}
