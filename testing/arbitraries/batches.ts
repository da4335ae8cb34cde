/** @file Arbitraries of examples, of ways to pack them, and of batches with masks. Knows no model. */
import fc from 'fast-check';
import { pack, SEGMENT, type Example, type PackedBatch, type PackOptions } from '../../datasets/index.js';
import { printedAs } from './printed.js';

/** A prompt and both completions, as token ids. */
export type Pair = Required<Omit<Example, 'turns' | 'labels'>>;

/** Token ids below `vocabulary`, 0 (padding's id) included: nothing may depend on the id that padding has. */
const tokens = (vocabulary: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(vocabulary - 1), { minLength: 1, maxLength });

/** Exactly `rows` pairs: prompts of up to 5 tokens, completions of up to 4. */
export function pairExamples(vocabulary: number, rows: number): fc.Arbitrary<Pair[]> {
  const pair = fc.record({
    prompt: tokens(vocabulary, 5),
    adversarial: tokens(vocabulary, 4),
    desired: tokens(vocabulary, 4),
  });
  return fc.array(pair, { minLength: rows, maxLength: rows });
}

/**
 * The examples, changed so that no gradient of theirs vanishes but for rounding. It does at queries and keys where a head
 * attends to equal values alone: here prompts have two tokens at least, and their first comes once. And it does for a
 * preference between completions that are equal: here they differ.
 */
export function decided(vocabulary: number, examples: readonly Pair[]): Pair[] {
  const next = (token: number, ...not: number[]): number =>
    not.includes(token) ? next((token + 1) % vocabulary, ...not) : token;
  return examples.map(({ prompt: [first = 0, ...rest], ...pair }) => {
    const others = (tokens: readonly number[]): number[] => tokens.map((token) => next(token, first));
    const [adversarial, desired] = [others(pair.adversarial), others(pair.desired)];
    const last = desired.at(-1) as number;
    return {
      prompt: [first, ...others(rest.length > 0 ? rest : [first])],
      adversarial,
      desired: String(adversarial) === String(desired) ? desired.with(-1, next(last, last, first)) : desired,
    };
  });
}

/** Which segments are attacked, and where padding goes. */
export const packing: fc.Arbitrary<Required<Pick<PackOptions, 'attacked' | 'padding'>>> = fc.record({
  attacked: fc.constantFrom('prompt', 'prompt+completions'),
  padding: fc.constantFrom('left', 'right'),
});

/** Sizes that hold every example above, so that a property compiles each program once. */
export const ONE_SHAPE = { length: 16, labels: 32, slots: 16 } as const;

/** Packed into {@link ONE_SHAPE}. */
export function packed(examples: readonly Example[], options: PackOptions = {}): PackedBatch {
  return pack(examples, { minimum: ONE_SHAPE, ...options });
}

/** Slots that are taken from each row's tokens, the first row's first. */
export type Spared = readonly (readonly number[])[];

/** Masks of a batch with so many rows. */
export function masks(rows: number): fc.Arbitrary<Spared> {
  const slots = fc.uniqueArray(fc.nat(ONE_SHAPE.slots / 2), { maxLength: 4 });
  return fc.array(slots, { minLength: rows, maxLength: rows });
}

/** The batch with fewer attacked tokens. The last one of a prompt keeps its slot: all that is said follows from it. */
export function spare(batch: PackedBatch, spared: Spared): PackedBatch {
  const slots = batch.slots.map((slot, at) => {
    const row = Math.floor(at / batch.length);
    return (spared[row] ?? []).includes(slot) && slot !== lastOfPrompt(batch, row) ? -1 : slot;
  });
  return { ...batch, slots };
}

function lastOfPrompt({ segments, positions, length }: PackedBatch, row: number): number {
  const own = Array.from({ length }, (_, column) => row * length + column);
  return Math.max(
    ...own.filter((at) => segments[at] === SEGMENT.prompt).map((at) => positions[at] as number),
  );
}

/**
 * Batches of pairs in one shape: any lengths, both sides of padding, prompt or everything attacked but what a mask spares,
 * both completions sharing the vectors of their positions. Each prints as the expression that makes it again.
 * @param pairs what they are packed from.
 */
export function packedBatches(
  vocabulary: number,
  rows: number,
  pairs: fc.Arbitrary<Pair[]> = pairExamples(vocabulary, rows),
): fc.Arbitrary<PackedBatch> {
  return fc
    .tuple(pairs, packing, masks(rows))
    .map(([examples, options, spared]) =>
      printedAs(
        spare(packed(examples, options), spared),
        `spare(packed(${JSON.stringify(examples)}, ${JSON.stringify(options)}), ${JSON.stringify(spared)})`,
      ),
    );
}
