/** @file Arbitraries of examples and of ways to pack them. */
import fc from 'fast-check';
import { pack, type Example, type PackedBatch, type PackOptions } from '../../datasets/index.js';

/** Token ids below `vocabulary`, 0 (padding's id) included: nothing may depend on the id that padding has. */
const tokens = (vocabulary: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(vocabulary - 1), { minLength: 1, maxLength });

/** A prompt with both completions. */
export const pairExample = (vocabulary: number): fc.Arbitrary<Required<Omit<Example, 'turns'>>> =>
  fc.record({
    prompt: tokens(vocabulary, 5),
    adversarial: tokens(vocabulary, 4),
    desired: tokens(vocabulary, 4),
  });

/** Exactly `rows` pairs. */
export const pairExamples = (
  vocabulary: number,
  rows: number,
): fc.Arbitrary<Required<Omit<Example, 'turns'>>[]> =>
  fc.array(pairExample(vocabulary), { minLength: rows, maxLength: rows });

export const packing: fc.Arbitrary<Required<Pick<PackOptions, 'attacked' | 'padding'>>> = fc.record({
  attacked: fc.constantFrom('prompt', 'prompt+completions'),
  padding: fc.constantFrom('left', 'right'),
});

/** Sizes that hold every example above, so that a property compiles each program once. */
export const ONE_SHAPE = { length: 16, labels: 32, slots: 16 } as const;

/** Packed into one shape. */
export function packed(examples: readonly Example[], options: PackOptions): PackedBatch {
  return pack(examples, { minimum: ONE_SHAPE, ...options });
}
