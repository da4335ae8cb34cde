/** @file A GGUF file's metadata by key. Arrays are decoded when they are asked for: vocabularies are long. */
import { complain } from '../../foundation/index.js';
import { Cursor, decode, fixed, TEXT, VALUE_BYTES } from './cursor.js';

/** An array that was walked over: where it begins in the header, and what it holds. */
export interface StoredArray {
  readonly type: number;
  readonly length: number;
  readonly at: number;
}

export type StoredValue = string | number | boolean | StoredArray;

/** Values by key; each reader is undefined for a key that is not there. @throws GGUF_METADATA for another type. */
export class Metadata {
  constructor(
    private readonly values: ReadonlyMap<string, StoredValue>,
    private readonly bytes: Uint8Array,
    readonly owner: string,
  ) {}

  has(key: string): boolean {
    return this.values.has(key);
  }

  text(key: string): string | undefined {
    return this.scalar(key, 'a text', (value): value is string => typeof value === 'string');
  }

  number(key: string): number | undefined {
    return this.scalar(
      key,
      'a finite number',
      (value): value is number => typeof value === 'number' && Number.isFinite(value),
    );
  }

  flag(key: string): boolean | undefined {
    return this.scalar(key, 'true or false', (value): value is boolean => typeof value === 'boolean');
  }

  /** An array of texts. @throws GGUF_TEXT */
  texts(key: string): string[] | undefined {
    const array = this.array(key, 'an array of texts', (type) => type === TEXT);
    if (!array) return undefined;
    const cursor = new Cursor(this.bytes, this.bytes.length, this.owner);
    cursor.skip(array.at);
    return Array.from({ length: array.length }, () => {
      const { begin, end } = cursor.text(key);
      return decode(this.bytes.subarray(begin, end), this.owner, key);
    });
  }

  /** An array of numbers. */
  numbers(key: string): Float64Array | undefined {
    const array = this.array(key, 'an array of numbers', (type) => type !== TEXT);
    if (!array) return undefined;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    const width = VALUE_BYTES[array.type] as number;
    return Float64Array.from({ length: array.length }, (_, index) =>
      Number(fixed(view, array.type, array.at + index * width)),
    );
  }

  /** A number that must be there. */
  need(key: string): number {
    return this.number(key) ?? this.fail(key, 'a number', 'nothing');
  }

  fail(key: string, expected: string, got: string): never {
    return complain({
      code: 'GGUF_METADATA',
      owner: `${this.owner}, ${key}`,
      expected,
      got,
      hint: 'convert the model again, with a present llama.cpp',
    });
  }

  private scalar<T extends StoredValue>(
    key: string,
    expected: string,
    is: (value: StoredValue) => value is T,
  ): T | undefined {
    const value = this.values.get(key);
    if (value === undefined || is(value)) return value;
    return this.fail(
      key,
      expected,
      typeof value === 'object' ? 'an array' : JSON.stringify(value).slice(0, 80),
    );
  }

  private array(key: string, expected: string, is: (type: number) => boolean): StoredArray | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'object' && is(value.type)) return value;
    return this.fail(key, expected, typeof value === 'object' ? 'another array' : 'no array');
  }
}
