/** @file How GGUF stores tensors: names, block sizes and numbers of its element types. Decodes nothing. */

/** A way of storing elements: blocks of `elements` values in `bytes` bytes. */
export interface BlockLayout {
  readonly elements: number;
  readonly bytes: number;
}

/** Element types that are read. */
export const LAYOUTS = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q8_0: { elements: 32, bytes: 34 },
  Q2_K: { elements: 256, bytes: 84 },
  Q3_K: { elements: 256, bytes: 110 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
  Q6_K: { elements: 256, bytes: 210 },
} as const satisfies Record<string, BlockLayout>;
export type GgufType = keyof typeof LAYOUTS;

/** All of ggml's element types by number, so that messages can name those that are not read. */
const NAMES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The type of a number in a file; as text where it is not read. */
export function typeNamed(number: number): { readonly type?: GgufType; readonly name: string } {
  const name = NAMES[number];
  if (name === undefined) return { name: `type ${number}` };
  return Object.hasOwn(LAYOUTS, name) ? { type: name as GgufType, name } : { name };
}
