/** @file Arrow columns as plain values, of the same kinds that a Parquet file gives. Reads no files. */
import { BinaryView, DataType, TimeUnit, Vector, type Data } from 'apache-arrow';
import { isUtf8 } from 'node:buffer';
import { decimalValue, timeValue } from './exact.js';

/**
 * The values of a column from `begin` to `end`: strings, numbers (bigint where a 64-bit integer does not fit, text where a decimal
 * does not), booleans, dates (text where they are finer than milliseconds), bytes, lists, records, null. Lists and records are decoded column by column, not value by value.
 * @throws Error where offsets lie outside their data, or for a type without plain values.
 */
export function plainValues(data: Data, begin = 0, end = data.length): unknown[] {
  if (begin === end) return [];
  if (begin < 0 || begin > end || end > data.length) throw new Error('offsets outside their data');
  const { type } = data as { type: DataType };
  if (DataType.isNull(type)) return Array.from({ length: end - begin }, () => null);
  if (DataType.isMap(type)) return lists(data, begin, end, mapEntries, recordOf);
  if (DataType.isList(type) || DataType.isLargeList(type)) return lists(data, begin, end, plainValues);
  if (DataType.isFixedSizeList(type)) return fixedLists(data, type.listSize, begin, end);
  if (DataType.isStruct(type)) return records(data, begin, end);
  if (DataType.isDictionary(type)) return looked(data, begin, end);
  return leaves(data, type, begin, end);
}

/** A list per row; what they hold is decoded at once, from the first one's start to the last one's end. */
function lists(
  data: Data,
  begin: number,
  end: number,
  decode: (child: Data, begin: number, end: number) => unknown[],
  finish: (items: unknown[]) => unknown = (items) => items,
): unknown[] {
  const offsets = offsetsOf(data, begin, end);
  const first = offsets[0] ?? 0;
  const flat = decode(childOf(data, 0), first, offsets.at(-1) ?? 0);
  return rows(data, begin, end, (row) =>
    finish(flat.slice((offsets[row - begin] ?? 0) - first, (offsets[row - begin + 1] ?? 0) - first)),
  );
}

/** A map is a list of entries. */
function mapEntries(entries: Data, begin: number, end: number): unknown[] {
  const keys = plainValues(childOf(entries, 0), begin, end);
  const values = plainValues(childOf(entries, 1), begin, end);
  return keys.map((key, at) => [String(key), values[at]]);
}

function recordOf(entries: unknown[]): unknown {
  return Object.fromEntries(entries as [string, unknown][]);
}

function fixedLists(data: Data, size: number, begin: number, end: number): unknown[] {
  const flat = plainValues(childOf(data, 0), begin * size, end * size);
  return rows(data, begin, end, (row) => flat.slice((row - begin) * size, (row - begin + 1) * size));
}

function records(data: Data, begin: number, end: number): unknown[] {
  const { children } = data.type as { children: readonly { readonly name: string }[] };
  const columns = children.map(({ name }, at) => [name, plainValues(childOf(data, at), begin, end)] as const);
  return rows(data, begin, end, (row) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[row - begin]])),
  );
}

/** Values by their number in a dictionary; only those that occur are decoded, each once. */
function looked(data: Data, begin: number, end: number): unknown[] {
  const { dictionary } = data as { dictionary?: Vector };
  const numbers = data.values as ArrayLike<number | bigint>;
  const decoded = new Map<number, unknown>();
  return rows(data, begin, end, (row) => {
    const number = Number(numbers[row]);
    if (!decoded.has(number)) decoded.set(number, entryOf(dictionary, number));
    return decoded.get(number);
  });
}

function entryOf(dictionary: Vector | undefined, number: number): unknown {
  let at = number;
  for (const part of (dictionary?.data ?? []) as readonly Data[]) {
    if (at >= 0 && at < part.length) return plainValues(part, at, at + 1)[0];
    at -= part.length;
  }
  throw new Error('a value that its dictionary lacks');
}

function leaves(data: Data, type: DataType, begin: number, end: number): unknown[] {
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return texts(data, begin, end);
  if (DataType.isTimestamp(type)) return times(data, type.unit, begin, end);
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) offsetsOf(data, begin, end);
  const plain = plainOf(type);
  // As bytes, because the library's decoder drops a byte order mark at the start of a text.
  const vector = new Vector([DataType.isUtf8View(type) ? data.clone(new BinaryView()) : data]);
  return rows(data, begin, end, (row) => {
    const value = vector.get(row) as unknown;
    if (value === undefined || value === null) throw new Error('a value outside its buffer');
    return plain(value);
  });
}

function texts(data: Data, begin: number, end: number): unknown[] {
  const offsets = offsetsOf(data, begin, end);
  const values = data.values as Uint8Array;
  if ((offsets.at(-1) ?? 0) > values.length) throw new Error('a text outside its buffer');
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return rows(data, begin, end, (row) => {
    const text = bytes.subarray(offsets[row - begin], offsets[row - begin + 1]);
    if (!isUtf8(text)) throw new Error('text that is not UTF-8');
    return text.toString('utf8');
  });
}

/** From the stored counts: the library's own are milliseconds. */
function times(data: Data, unit: TimeUnit, begin: number, end: number): unknown[] {
  const values = data.values as unknown as BigInt64Array;
  const nanos = NANOS[unit];
  return rows(data, begin, end, (row) => {
    const value = values[row];
    if (value === undefined) throw new Error('a value outside its buffer');
    return timeValue(value * nanos);
  });
}

const NANOS: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1_000_000_000n,
  [TimeUnit.MILLISECOND]: 1_000_000n,
  [TimeUnit.MICROSECOND]: 1000n,
  [TimeUnit.NANOSECOND]: 1n,
};

/** How a value of this type, as the library gives it, becomes plain. */
function plainOf(type: DataType): (value: unknown) => unknown {
  if (DataType.isDate(type)) return (value) => new Date(value as number);
  if (DataType.isUtf8View(type)) return (value) => Buffer.from(value as Uint8Array).toString('utf8');
  if (DataType.isDecimal(type)) return (value) => decimal(value as Uint32Array, type.scale);
  if (DataType.isUnion(type) || DataType.isInterval(type))
    throw new Error(`a column of type ${String(type)}, which has no plain values`);
  return (value) => {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    // A copy: a view would keep the whole batch in memory.
    return value instanceof Uint8Array ? value.slice() : value;
  };
}

function decimal(words: Uint32Array, scale: number): number | string {
  const unsigned = Array.from(words).reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return decimalValue(BigInt.asIntN(32 * words.length, unsigned), scale);
}

/** A value per row, null where the row has none. */
function rows(data: Data, begin: number, end: number, value: (row: number) => unknown): unknown[] {
  const length = end - begin;
  if (data.nullCount === 0) return Array.from({ length }, (_, at) => value(begin + at));
  return Array.from({ length }, (_, at) => (data.getValid(begin + at) ? value(begin + at) : null));
}

/** Where the rows' contents begin, and where the last one's end: in order, from 0 on. */
function offsetsOf(data: Data, begin: number, end: number): number[] {
  const stored = data.valueOffsets as unknown as Int32Array | BigInt64Array;
  const offsets = Array.from(stored.subarray(begin, end + 1) as Int32Array, Number);
  const ordered = offsets.every((offset, at) => offset >= (offsets[at - 1] ?? 0));
  if (offsets.length <= end - begin || !ordered) throw new Error('offsets out of order');
  return offsets;
}

function childOf(data: Data, at: number): Data {
  const child = (data.children as readonly Data[])[at];
  if (child) return child;
  throw new Error('a nested column without its data');
}
