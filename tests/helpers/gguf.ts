/** @file Writes small GGUF files for tests: metadata and tensors of any type, as bytes. */
import { LAYOUTS, type GgufType } from '../../formats/gguf/types.js';

/** A value of metadata; numbers are written as u32 where they are whole, else as f32. */
export type Entry = string | number | boolean | readonly string[] | Int32Array | Float32Array;

/** A tensor with its extents as a Hugging Face file has them, outermost first. */
export interface TensorBytes {
  readonly type: GgufType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export const TYPE_NUMBERS: Readonly<Record<GgufType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  BF16: 30,
};

/** float32 elements as a tensor. */
export function f32(shape: readonly number[], values: Float32Array): TensorBytes {
  return { type: 'F32', shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/** A whole file. */
export function ggufBytes(
  metadata: Readonly<Record<string, Entry>>,
  tensors: Readonly<Record<string, TensorBytes>> = {},
  { version = 3, alignment = 32 }: { readonly version?: number; readonly alignment?: number } = {},
): Uint8Array {
  const header = new Writer();
  header.raw(Buffer.from('GGUF'));
  header.u32(version);
  header.u64(Object.keys(tensors).length);
  header.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    header.text(key);
    header.value(value);
  }
  let offset = 0;
  for (const [name, { type, shape, data }] of Object.entries(tensors)) {
    header.text(name);
    header.u32(shape.length);
    for (const extent of [...shape].reverse()) header.u64(extent);
    header.u32(TYPE_NUMBERS[type]);
    header.u64(offset);
    offset = Math.ceil((offset + data.length) / alignment) * alignment;
  }
  const data = new Writer();
  for (const tensor of Object.values(tensors)) {
    data.raw(tensor.data);
    data.pad(alignment);
  }
  header.pad(alignment);
  return Buffer.concat([header.bytes(), data.bytes()]);
}

/** How many bytes a tensor of a type and shape takes. */
export function bytesOf(type: GgufType, shape: readonly number[]): number {
  const { elements, bytes } = LAYOUTS[type];
  return (shape.reduce((product, extent) => product * extent, 1) / elements) * bytes;
}

class Writer {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  raw(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.length += bytes.length;
  }

  u32(value: number): void {
    this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  u64(value: number): void {
    this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  text(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.u64(bytes.length);
    this.raw(bytes);
  }

  value(value: Entry): void {
    if (typeof value === 'string') {
      this.u32(8);
      this.text(value);
    } else if (typeof value === 'boolean') {
      this.u32(7);
      this.raw(Uint8Array.of(Number(value)));
    } else if (typeof value === 'number') {
      this.u32(Number.isInteger(value) && value >= 0 ? 4 : 6);
      this.raw(
        new Uint8Array(
          (Number.isInteger(value) && value >= 0 ? Uint32Array.of(value) : Float32Array.of(value)).buffer,
        ),
      );
    } else this.array(value);
  }

  pad(alignment: number): void {
    this.raw(new Uint8Array(Math.ceil(this.length / alignment) * alignment - this.length));
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }

  private array(value: readonly string[] | Int32Array | Float32Array): void {
    this.u32(9);
    if (value instanceof Int32Array || value instanceof Float32Array) {
      this.u32(value instanceof Int32Array ? 5 : 6);
      this.u64(value.length);
      this.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
      return;
    }
    this.u32(8);
    this.u64(value.length);
    for (const text of value) this.text(text);
  }
}
