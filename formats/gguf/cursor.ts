/** @file Walks through the bytes of a GGUF header, which may not all be there yet. Never reads beyond them. */
import { complain } from '../../foundation/index.js';

/** Thrown where the header goes on beyond the bytes at hand: read more and parse again. */
export class HeaderGoesOn extends Error {}

/** Limits that no known model comes near; a file beyond them is damaged or made to harm. */
export const LIMITS = {
  headerBytes: 2 ** 27,
  entries: 2 ** 16,
  arrayLength: 2 ** 22,
  dimensions: 4,
} as const;

export const DAMAGED = 'the file is damaged or no GGUF file: fetch it again';

/** Sizes in bytes of values of fixed size, by GGUF's number of their type. */
export const VALUE_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
export const TEXT = 8;
export const ARRAY = 9;

/** A place in the header that moves on with what is read. */
export class Cursor {
  private readonly view: DataView;
  at = 0;

  /**
   * @param bytes the file from its start on, perhaps not to the header's end.
   * @param fileSize in bytes, of the whole file.
   */
  constructor(
    readonly bytes: Uint8Array,
    readonly fileSize: number,
    readonly owner: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves over `length` bytes and says where they begin. @throws HeaderGoesOn, GGUF_TRUNCATED, GGUF_LIMIT */
  skip(length: number): number {
    const begin = this.at;
    const end = begin + length;
    if (end > this.fileSize)
      this.fail('GGUF_TRUNCATED', `a file of at least ${end} bytes`, `${this.fileSize}`);
    if (end > LIMITS.headerBytes)
      this.fail('GGUF_LIMIT', `a header of at most ${LIMITS.headerBytes} bytes`, `${end}`);
    if (end > this.bytes.length) throw new HeaderGoesOn();
    this.at = end;
    return begin;
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  /** An unsigned count of at most 2⁵³. */
  count(what: string): number {
    const value = this.view.getBigUint64(this.skip(8), true);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    return this.fail('GGUF_HEADER', `a possible ${what}`, `${value}`);
  }

  /** Moves over a text and says where it lies. */
  text(what: string): { readonly begin: number; readonly end: number } {
    const length = this.count(`length of ${what}`);
    const begin = this.skip(length);
    return { begin, end: begin + length };
  }

  /** A text of valid UTF-8. */
  read(what: string): string {
    const { begin, end } = this.text(what);
    return decode(this.bytes.subarray(begin, end), this.owner, what);
  }

  /** A value of fixed size, of GGUF's type number. 64-bit integers beyond 2⁵³ are rounded. */
  value(type: number): number | boolean {
    const at = this.skip(VALUE_BYTES[type] as number);
    return fixed(this.view, type, at);
  }

  fail(code: string, expected: string, got: string): never {
    return complain({ code, owner: this.owner, expected, got, hint: DAMAGED });
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws GGUF_TEXT for bytes that are no UTF-8. */
export function decode(bytes: Uint8Array, owner: string, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    return complain(
      { code: 'GGUF_TEXT', owner, expected: `${what} in UTF-8`, got: 'other bytes', hint: DAMAGED },
      { cause: error },
    );
  }
}

/** A value of fixed size at a place. */
export function fixed(view: DataView, type: number, at: number): number | boolean {
  switch (type) {
    case 0:
      return view.getUint8(at);
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getUint16(at, true);
    case 3:
      return view.getInt16(at, true);
    case 4:
      return view.getUint32(at, true);
    case 5:
      return view.getInt32(at, true);
    case 6:
      return view.getFloat32(at, true);
    case 7:
      return view.getUint8(at) !== 0;
    case 10:
      return Number(view.getBigUint64(at, true));
    case 11:
      return Number(view.getBigInt64(at, true));
    default:
      return view.getFloat64(at, true);
  }
}
