/**
 * @file What the columns of a Parquet file mean: their names and types, and their values as plain data, exactly.
 * Reads no files.
 */
import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import { isListLike, isMapLike } from 'hyparquet/src/schema.js';
import { isUtf8 } from 'node:buffer';
import { decimalValue, timeValue } from './exact.js';

/** A top-level column. */
export interface ParquetColumn {
  readonly name: string;
  /** For people: `text`, `int64`, `list<struct<role: text, content: text>>`. */
  readonly type: string;
  /** A value as the decoder gives it, made plain. */
  readonly plain: (value: unknown) => unknown;
}

/** The parts of the decoder that lose nothing: no replaced bytes, no dropped byte order mark or microsecond. */
export const EXACT_PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined): string | undefined => bytes && text(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined): string | undefined => bytes && text(bytes),
  geometryFromBytes: (bytes: Uint8Array): Uint8Array => bytes,
  geographyFromBytes: (bytes: Uint8Array): Uint8Array => bytes,
  timestampFromMilliseconds: (millis: bigint): unknown => timeValue(millis * 1_000_000n),
  timestampFromMicroseconds: (micros: bigint): unknown => timeValue(micros * 1000n),
  timestampFromNanoseconds: (nanos: bigint): unknown => timeValue(nanos),
};

/**
 * The top-level columns. Annotations that the decoder would take inexactly (decimals) or does not know without their
 * old form are rewritten in `metadata` first.
 * @throws Error where columns or the fields of a struct share a name, or one has a name that records cannot hold.
 */
export function columnsOf(metadata: FileMetaData): ParquetColumn[] {
  const scales = new Map<SchemaElement, number>();
  for (const element of metadata.schema) {
    const scale = decimalScale(element);
    if (scale !== undefined) scales.set(element, scale);
    normalize(element, scale !== undefined);
  }
  const root = parquetSchema(metadata);
  checkNames(root);
  return root.children.map((tree) => ({
    name: tree.element.name,
    type: typeName(tree, scales),
    plain: fieldOf(tree, scales),
  }));
}

function decimalScale({ converted_type, logical_type, scale }: SchemaElement): number | undefined {
  if (logical_type?.type === 'DECIMAL') return logical_type.scale;
  return converted_type === 'DECIMAL' ? (scale ?? 0) : undefined;
}

const OLD_FORMS: Readonly<Record<string, SchemaElement['converted_type']>> = {
  LIST: 'LIST',
  MAP: 'MAP',
  DATE: 'DATE',
  JSON: 'JSON',
  BSON: 'BSON',
  ENUM: 'UTF8',
};

function normalize(element: SchemaElement, decimal: boolean): void {
  if (decimal) {
    delete element.converted_type;
    delete element.logical_type;
    return;
  }
  const old = OLD_FORMS[element.logical_type?.type ?? ''] ?? element.converted_type;
  if (old !== undefined) element.converted_type = old === 'ENUM' ? 'UTF8' : old;
}

function checkNames(tree: SchemaTree): void {
  const names = tree.children.map(({ element }) => element.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`two columns named ${[...tree.path, twice].join('.')}`);
  if (names.includes('__proto__')) throw new Error('a column named __proto__');
  tree.children.forEach(checkNames);
}

type Plain = ParquetColumn['plain'];

/** A repeated field that is in no list of its own is empty where it is missing, never null. */
function fieldOf(tree: SchemaTree, scales: ReadonlyMap<SchemaElement, number>): Plain {
  const plain = plainOf(tree, scales);
  return tree.element.repetition_type === 'REPEATED' ? (value) => plain(value) ?? [] : plain;
}

function plainOf(tree: SchemaTree, scales: ReadonlyMap<SchemaElement, number>): Plain {
  const [first] = tree.children;
  if (first && isListLike(tree))
    return plainOf(first.children.length === 1 ? (first.children[0] as SchemaTree) : first, scales);
  if (first && isMapLike(tree)) {
    const value = plainOf(first.children[1] as SchemaTree, scales);
    return throughLists((map) =>
      Object.fromEntries(Object.entries(map as object).map(([key, each]) => [key, value(each)])),
    );
  }
  if (first) {
    const fields = tree.children.map((child) => [child.element.name, fieldOf(child, scales)] as const);
    return throughLists((record) =>
      Object.fromEntries(
        fields.map(([name, plain]) => [name, plain((record as Record<string, unknown>)[name])]),
      ),
    );
  }
  const scale = scales.get(tree.element);
  return throughLists(scale === undefined ? scalar : (value) => decimalValue(unscaled(value), scale));
}

/** Lists may lie around a value at any depth; what is missing is null. */
function throughLists(plain: Plain): Plain {
  const each: Plain = (value) =>
    value === undefined || value === null ? null : Array.isArray(value) ? value.map(each) : plain(value);
  return each;
}

function scalar(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  // A copy: a view would keep (and send) the whole page.
  return value instanceof Uint8Array ? value.slice() : value;
}

function unscaled(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  const unsigned = value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * value.length, unsigned);
}

function text(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  throw new Error('text that is not UTF-8');
}

function typeName(tree: SchemaTree, scales: ReadonlyMap<SchemaElement, number>): string {
  const [first] = tree.children;
  const name = (child: SchemaTree): string => typeName(child, scales);
  if (first && isListLike(tree))
    return `list<${name(first.children.length === 1 ? (first.children[0] as SchemaTree) : first)}>`;
  if (first && isMapLike(tree)) return `map<${first.children.map(name).join(', ')}>`;
  if (first)
    return `struct<${tree.children.map((child) => `${child.element.name}: ${name(child)}`).join(', ')}>`;
  const leaf = leafName(tree.element, scales.has(tree.element));
  return tree.element.repetition_type === 'REPEATED' && tree.path.length === 1 ? `list<${leaf}>` : leaf;
}

function leafName({ type, converted_type, logical_type }: SchemaElement, decimal: boolean): string {
  if (decimal) return 'decimal';
  if (converted_type === 'UTF8' || logical_type?.type === 'STRING') return 'text';
  if (logical_type?.type === 'INTEGER')
    return `${logical_type.isSigned ? '' : 'u'}int${logical_type.bitWidth}`;
  if (logical_type?.type === 'TIMESTAMP' || type === 'INT96') return 'timestamp';
  const known = converted_type ?? logical_type?.type;
  if (known) return known.toLowerCase().replace('_', '');
  return type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY'
    ? 'bytes'
    : (type ?? 'nothing').toLowerCase();
}
