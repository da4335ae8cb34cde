/** @file Laws of packing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucket, pack, SEGMENT, type PackedBatch } from '../../datasets/index.js';
import { labelContexts, pairExamples } from './helpers.js';

const options = fc.record({
  attacked: fc.constantFrom('prompt', 'prompt+completions', 'none'),
  padding: fc.constantFrom('left', 'right'),
  minimum: fc.record({
    length: fc.integer({ min: 0, max: 80 }),
    labels: fc.integer({ min: 0, max: 200 }),
    slots: fc.integer({ min: 0, max: 64 }),
  }),
});

/** Labels without their rows, in an order of their own. */
function unordered(batch: PackedBatch, rowsOfOne: number): string[] {
  return labelContexts(batch)
    .map(({ row, ...label }) => JSON.stringify({ example: row % rowsOfOne, ...label }))
    .sort();
}

describe('pack', () => {
  it('gives every label the context that it has in a row of its own: packed = separate', () => {
    fc.assert(
      fc.property(pairExamples(), options, (examples, chosen) => {
        const packed = pack(examples, { ...chosen, layout: 'packed' });
        const separate = pack(examples, { ...chosen, layout: 'separate' });
        expect(separate.rows).toBe(2 * packed.rows);
        expect(unordered(packed, examples.length)).toEqual(unordered(separate, examples.length));
      }),
    );
  });

  it('labels each completion token with exactly the prompt and what precedes it in its completion visible', () => {
    fc.assert(
      fc.property(pairExamples(), options, (examples, chosen) => {
        const batch = pack(examples, chosen);
        const expected = (['adversarial', 'desired'] as const).flatMap((completion) => {
          const count = examples.reduce((sum, example) => sum + example[completion].length, 0);
          return examples.flatMap((example, row) =>
            example[completion].map((target, at) => ({
              row,
              completion,
              target,
              weight: Math.fround(1 / count),
              tokens: [...example.prompt, ...example[completion].slice(0, at)],
            })),
          );
        });
        const got = labelContexts(batch).map(({ visible, ...label }) => ({
          ...label,
          tokens: visible.map((key) => Number(key.split(':')[1])),
        }));
        expect(got).toEqual(expected);
      }),
    );
  });

  it('gives a slot to attacked tokens alone, the one of their position, below slotCount', () => {
    fc.assert(
      fc.property(pairExamples(), options, (examples, chosen) => {
        const batch = pack(examples, chosen);
        const attacked: readonly number[] = {
          none: [],
          prompt: [SEGMENT.prompt],
          'prompt+completions': [SEGMENT.prompt, SEGMENT.adversarial, SEGMENT.desired],
        }[chosen.attacked];
        batch.slots.forEach((slot, at) => {
          expect(slot).toBe(attacked.includes(batch.segments[at]!) ? batch.positions[at] : -1);
          expect(slot).toBeLessThan(Math.max(batch.slotCount, 1));
        });
      }),
    );
  });

  it('writes each row once, on the side away from its padding, and zeros elsewhere', () => {
    fc.assert(
      fc.property(pairExamples(), options, (examples, chosen) => {
        const batch = pack(examples, chosen);
        examples.forEach(({ prompt, adversarial, desired }, row) => {
          const real = [...prompt, ...adversarial, ...desired];
          const [start, end] = [row * batch.length, (row + 1) * batch.length];
          const padding = Array<number>(batch.length - real.length).fill(0);
          const expected = chosen.padding === 'left' ? [...padding, ...real] : [...real, ...padding];
          expect([...batch.tokens.subarray(start, end)]).toEqual(expected);
          const used = [...batch.segments.subarray(start, end)].filter((segment) => segment !== 0);
          expect(used).toEqual([
            ...prompt.map(() => SEGMENT.prompt),
            ...adversarial.map(() => SEGMENT.adversarial),
            ...desired.map(() => SEGMENT.desired),
          ]);
        });
      }),
    );
  });

  it('changes no label when it pads more, or on the other side', () => {
    fc.assert(
      fc.property(pairExamples(), options, options, (examples, one, other) => {
        const first = pack(examples, one);
        const second = pack(examples, { ...other, attacked: one.attacked });
        expect(labelContexts(first)).toEqual(labelContexts(second));
      }),
    );
  });

  it('weights each label set to a sum of one', () => {
    fc.assert(
      fc.property(pairExamples(), (examples) => {
        for (const labels of Object.values(pack(examples).labels))
          expect(labels.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
      }),
    );
  });

  it('packs benign rows as prompt and desired completion, without slots', () => {
    const batch = pack([{ prompt: [1, 2], desired: [3, 4, 5] }], { attacked: 'none' });
    expect(Object.keys(batch.labels)).toEqual(['desired']);
    expect(batch.slotCount).toBe(0);
    expect([...batch.tokens]).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
    expect([...batch.positions]).toEqual([0, 1, 2, 3, 4, 0, 0, 0]);
    expect([...batch.labels.desired!.index.subarray(0, 3)]).toEqual([1, 2, 3]);
  });

  it('refuses no examples and empty prompts', () => {
    expect(() => pack([])).toThrow(/PACK_EMPTY|at least one token/);
    expect(() => pack([{ prompt: [], desired: [1] }])).toThrow('at least one token');
  });
});

describe('bucket', () => {
  it('is never below the sizes or the minimum, and rounds what it rounded to itself', () => {
    const size = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(size, size, size, fc.nat(300), (length, labels, slots, minimum) => {
        const sizes = { length, labels, slots: Math.min(slots, length) };
        const padded = bucket(sizes, { length: minimum });
        expect(padded.length).toBeGreaterThanOrEqual(Math.max(length, minimum));
        expect(padded.labels).toBeGreaterThanOrEqual(labels);
        expect(padded.slots).toBeGreaterThanOrEqual(sizes.slots);
        expect(bucket(bucket(sizes))).toEqual(bucket(sizes));
      }),
    );
  });

  it('returns few sizes: at most 4 lengths, 2 label counts and 1 slot count per power of two', () => {
    const all = Array.from({ length: 512 }, (_, at) =>
      bucket({ length: 513 + at, labels: 513 + at, slots: 513 + at }),
    );
    expect(new Set(all.map(({ length }) => length)).size).toBe(4);
    expect(new Set(all.map(({ labels }) => labels)).size).toBe(2);
    expect(new Set(all.map(({ slots, length }) => Math.min(slots, 1024) / length)).size).toBeLessThanOrEqual(
      4,
    );
  });
});
