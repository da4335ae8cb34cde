/**
 * @file The FlatBuffers of an Arrow file (message headers, footer), checked before the library decodes them: it believes
 * every length, so that a few bytes could ask for all memory. Reads no files.
 */

/** A field of a table: its number there, and what it leads to. */
type Shape = Readonly<Record<number, Kind>>;
type Kind =
  | { readonly kind: 'text' }
  | { readonly kind: 'table'; readonly shape: () => Shape }
  /** A table whose shape is told by a number in the field before it. */
  | { readonly kind: 'union'; readonly shapes: Readonly<Record<number, Shape>> }
  | { readonly kind: 'tables'; readonly shape: () => Shape }
  /** A vector of scalars or structs of so many bytes. */
  | { readonly kind: 'structs'; readonly bytes: number };

const text: Kind = { kind: 'text' };
const table = (shape: () => Shape): Kind => ({ kind: 'table', shape });
const tables = (shape: () => Shape): Kind => ({ kind: 'tables', shape });
const union = (shapes: Readonly<Record<number, Shape>>): Kind => ({ kind: 'union', shapes });
const structs = (bytes: number): Kind => ({ kind: 'structs', bytes });

// Format: Schema.fbs, Message.fbs and File.fbs of Arrow, the parts that lead anywhere.
const KEY_VALUE: Shape = { 0: text, 1: text };
const DICTIONARY: Shape = { 1: table(() => ({})) };
const TIMESTAMP = 10;
const UNION = 14;
const FIELD: Shape = {
  0: text,
  3: union({ [TIMESTAMP]: { 1: text }, [UNION]: { 1: structs(4) } }),
  4: table(() => DICTIONARY),
  5: tables(() => FIELD),
  6: tables(() => KEY_VALUE),
};
const SCHEMA: Shape = { 1: tables(() => FIELD), 2: tables(() => KEY_VALUE), 3: structs(8) };
const RECORD_BATCH: Shape = { 1: structs(16), 2: structs(16), 3: table(() => ({})), 4: structs(8) };
const MESSAGE: Shape = {
  2: union({ 1: SCHEMA, 2: { 1: table(() => RECORD_BATCH) }, 3: RECORD_BATCH }),
  4: tables(() => KEY_VALUE),
};
const FOOTER: Shape = { 1: table(() => SCHEMA), 2: structs(24), 3: structs(24), 4: tables(() => KEY_VALUE) };

/** Fields in fields. */
const DEEPEST = 64;

/** @throws Error where a message's header leads outside of its bytes, is too deep or repeats itself. */
export function checkMessageHeader(bytes: Uint8Array): void {
  new Check(bytes).root(MESSAGE);
}

/** @throws Error as {@link checkMessageHeader} */
export function checkFooter(bytes: Uint8Array): void {
  new Check(bytes).root(FOOTER);
}

class Check {
  private readonly view: DataView;
  /** What may still be visited, in bytes: parts may be shared, but not so often that little stands for much. */
  private budget: number;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.budget = 1024 + 16 * bytes.length;
  }

  root(shape: Shape): void {
    this.table(this.target(0), shape, 0);
  }

  private table(at: number, shape: Shape, depth: number): void {
    if (depth > DEEPEST) throw new Error('a header nested too deep');
    this.spend(8);
    for (const [number, kind] of Object.entries(shape)) {
      const field = this.field(at, Number(number));
      if (field === undefined) continue;
      if (kind.kind !== 'union') this.follow(this.target(field), kind, depth + 1);
      else this.table(this.target(field), kind.shapes[this.tag(at, Number(number) - 1)] ?? {}, depth + 1);
    }
  }

  /** Where a table's field is; undefined where it is left out. */
  private field(at: number, number: number): number | undefined {
    const entries = this.inside(at - this.view.getInt32(this.inside(at, 4), true), 4);
    const place = 4 + 2 * number;
    if (place + 2 > this.view.getUint16(entries, true)) return undefined;
    const offset = this.view.getUint16(this.inside(entries + place, 2), true);
    return offset === 0 ? undefined : at + offset;
  }

  private tag(at: number, number: number): number {
    const field = this.field(at, number);
    return field === undefined ? 0 : this.view.getUint8(this.inside(field, 1));
  }

  private follow(at: number, kind: Exclude<Kind, { kind: 'union' }>, depth: number): void {
    if (kind.kind === 'table') {
      this.table(at, kind.shape(), depth);
      return;
    }
    const length = this.word(at);
    const bytes = kind.kind === 'structs' ? kind.bytes : kind.kind === 'tables' ? 4 : 1;
    this.inside(at + 4, length * bytes);
    this.spend(length * bytes);
    if (kind.kind !== 'tables') return;
    for (let item = 0; item < length; item++) this.table(this.target(at + 4 + 4 * item), kind.shape(), depth);
  }

  /** Where the offset at a place leads. */
  private target(at: number): number {
    return this.inside(at + this.word(at), 4);
  }

  private word(at: number): number {
    return this.view.getUint32(this.inside(at, 4), true);
  }

  private inside(at: number, length: number): number {
    if (at >= 0 && at + length <= this.view.byteLength) return at;
    throw new Error('a header that leads outside of itself');
  }

  private spend(bytes: number): void {
    this.budget -= bytes;
    if (this.budget < 0) throw new Error('a header that repeats itself');
  }
}
