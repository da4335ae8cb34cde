/** @file What llama.cpp's converter does to some tensors, undone. Works on plain arrays; knows no files. */
import type { GgufArchitecture } from './names.js';

/** What a tensor went through. */
export type Change =
  /** Rows of each head were interleaved: its two rotary halves became pairs. */
  | { readonly kind: 'interleaved'; readonly heads: number }
  /** Queries, keys and values, fused head by head, were sorted by which they are. */
  | { readonly kind: 'sorted'; readonly heads: number }
  /** A matrix [in, out] was stored as [out, in]. */
  | { readonly kind: 'transposed' }
  /** A norm's weight was stored as 1 + w. */
  | { readonly kind: 'plus one' };

/** Which change a tensor of this GGUF name went through; undefined for none. */
export function changeOf(
  architecture: GgufArchitecture,
  name: string,
  heads: { readonly query: number; readonly keyValue: number },
): Change | undefined {
  switch (architecture) {
    case 'llama':
      if (/\.attn_q\./.test(name)) return { kind: 'interleaved', heads: heads.query };
      return /\.attn_k\./.test(name) ? { kind: 'interleaved', heads: heads.keyValue } : undefined;
    case 'gptneox':
      return /\.attn_qkv\./.test(name) ? { kind: 'sorted', heads: heads.query } : undefined;
    case 'gpt2':
      return /\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(name)
        ? { kind: 'transposed' }
        : undefined;
    case 'gemma2':
      return /norm\.weight$/.test(name) ? { kind: 'plus one' } : undefined;
    case 'qwen2':
    case 'qwen3':
    case 'phi3':
      return undefined;
  }
  return architecture satisfies never;
}

/** The shape before the change. */
export function shapeBefore(change: Change | undefined, shape: readonly number[]): readonly number[] {
  return change?.kind === 'transposed' ? [...shape].reverse() : shape;
}

/** True where a tensor of this shape can have gone through the change. */
export function fits(change: Change | undefined, shape: readonly number[]): boolean {
  switch (change?.kind) {
    case undefined:
    case 'plus one':
      return true;
    case 'transposed':
      return shape.length === 2;
    case 'interleaved':
      return Number.isInteger((shape[0] as number) / change.heads / 2);
    case 'sorted':
      return Number.isInteger((shape[0] as number) / change.heads / 3);
  }
  return change satisfies never;
}

/** The elements before the change; in place where that needs no second buffer. @param shape as stored. */
export function undo(
  change: Change | undefined,
  values: Float32Array<ArrayBuffer>,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  switch (change?.kind) {
    case undefined:
      return values;
    case 'plus one':
      for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) - 1;
      return values;
    case 'transposed':
      return transposed(values, shape[0] as number, shape[1] as number);
    case 'interleaved': {
      // Within a head, row 2i + half becomes row half · (rows / 2) + i.
      const rows = (shape[0] as number) / change.heads;
      return regrouped(values, shape[0] as number, (row) => {
        const within = row % rows;
        return row - within + (within & 1) * (rows / 2) + (within >> 1);
      });
    }
    case 'sorted': {
      // Row (which, head, i) becomes row (head, which, i).
      const width = (shape[0] as number) / change.heads / 3;
      return regrouped(values, shape[0] as number, (row) => {
        const head = Math.floor(row / width) % change.heads;
        const which = Math.floor(row / width / change.heads);
        return (head * 3 + which) * width + (row % width);
      });
    }
  }
  return change satisfies never;
}

function regrouped(
  values: Float32Array,
  rows: number,
  target: (row: number) => number,
): Float32Array<ArrayBuffer> {
  const width = values.length / rows;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    result.set(values.subarray(row * width, (row + 1) * width), target(row) * width);
  return result;
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] as number;
  return result;
}
