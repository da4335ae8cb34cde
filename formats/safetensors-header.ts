/** @file The header of a safetensors file, checked against the file's size. Reads no file itself. */
import { complain, parseJson } from '../foundation/index.js';

/** Element types that are read, and their sizes in bytes. */
export const ELEMENT_BYTES = { F32: 4, F16: 2, BF16: 2, I32: 4, I64: 8 } as const;
export type ElementType = keyof typeof ELEMENT_BYTES;

/** Where a tensor is: offsets in bytes from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A checked header. */
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Room for 200,000 tensors. The reference implementation allows three times as much; parsed, that could fill a heap. */
export const LONGEST_HEADER = 2 ** 25;

const hint = 'the file is damaged or no safetensors file: fetch it again';

/** Length of the header in bytes, from the file's first 8. @throws SAFETENSORS_TRUNCATED, SAFETENSORS_HEADER */
export function headerLength(first: Uint8Array, fileSize: number, owner: string): number {
  if (first.length < 8)
    complain({
      code: 'SAFETENSORS_TRUNCATED',
      owner,
      expected: 'at least 8 bytes',
      got: `${fileSize}`,
      hint,
    });
  const length = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true));
  if (length > LONGEST_HEADER)
    complain({
      code: 'SAFETENSORS_HEADER',
      owner,
      expected: `a header of at most ${LONGEST_HEADER} bytes`,
      got: `${length}`,
      hint,
    });
  if (8 + length > fileSize)
    complain({
      code: 'SAFETENSORS_TRUNCATED',
      owner,
      expected: `a header of ${length} bytes`,
      got: `a file of ${fileSize} bytes`,
      hint,
    });
  return length;
}

/**
 * Parses and checks a header: names, types, shapes; tensors fill the rest of the file without gap or overlap.
 * @throws SAFETENSORS_HEADER, SAFETENSORS_DTYPE, SAFETENSORS_SIZE, SAFETENSORS_OVERLAP, SAFETENSORS_TRUNCATED
 */
export function parseHeader(bytes: Uint8Array, dataSize: number, owner: string): Header {
  const json = parsed(bytes, owner);
  const entries = Object.entries(json)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => checkedEntry(name, entry, `${owner}, tensor ${name}`));
  checkLayout(entries, dataSize, owner);
  return { entries, metadata: checkedMetadata(json['__metadata__'], owner) };
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badHeader(owner: string, expected: string, value: unknown): never {
  const got = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80);
  return complain({ code: 'SAFETENSORS_HEADER', owner, expected, got, hint });
}

function parsed(bytes: Uint8Array, owner: string): Json {
  let json: unknown;
  try {
    json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return complain(
      {
        code: 'SAFETENSORS_HEADER',
        owner,
        expected: 'a header of JSON in UTF-8',
        got: 'something else',
        hint,
      },
      { cause: error },
    );
  }
  return isObject(json) ? json : badHeader(owner, 'a JSON object as header', json);
}

function checkedMetadata(value: unknown, owner: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  const texts = isObject(value) && Object.values(value).every((text) => typeof text === 'string');
  return texts ? (value as Record<string, string>) : badHeader(owner, 'metadata of texts', value);
}

function isNatural(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function checkedEntry(name: string, entry: unknown, owner: string): Entry {
  if (!isObject(entry)) return badHeader(owner, 'an object', entry);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!Array.isArray(shape) || !shape.every(isNatural)) return badHeader(owner, 'a shape', shape);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isNatural))
    return badHeader(owner, 'two data_offsets', offsets);
  const type = (Object.keys(ELEMENT_BYTES) as ElementType[]).find((known) => known === dtype);
  if (!type)
    return complain({
      code: 'SAFETENSORS_DTYPE',
      owner,
      expected: `dtype ${Object.keys(ELEMENT_BYTES).join(', ')}`,
      got: dtype === undefined ? 'nothing' : JSON.stringify(dtype).slice(0, 80),
      hint: 'convert the tensor to one of these types',
    });
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce<number>((product, extent) => product * extent, ELEMENT_BYTES[type]);
  if (end - begin !== bytes)
    complain({
      code: 'SAFETENSORS_SIZE',
      owner,
      expected: `${bytes} bytes for ${type} [${shape.join(', ').slice(0, 80)}]`,
      got: `data_offsets [${begin}, ${end}]`,
      hint,
    });
  return { name, type, shape, begin, end };
}

function checkLayout(entries: readonly Entry[], dataSize: number, owner: string): void {
  let reached = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== reached)
      complain({
        code: 'SAFETENSORS_OVERLAP',
        owner: `${owner}, tensor ${name}`,
        expected: `data from byte ${reached} on, where the tensor before it ends`,
        got: `from ${begin}`,
        hint,
      });
    reached = end;
  }
  if (reached !== dataSize)
    complain({
      code: 'SAFETENSORS_TRUNCATED',
      owner,
      expected: `${reached} bytes of tensor data`,
      got: `${dataSize}`,
      hint,
    });
}
