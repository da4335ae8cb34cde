/** @file Arbitraries for users: what they promise of each value, that they reach what matters, and how values print. */
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEGMENT, type PackedBatch } from '../../../datasets/index.js';
import { parseSite } from '../../../engine/index.js';
import { attackPlan } from '../../../operators/index.js';
import {
  attackConfigs,
  FAMILIES,
  packed,
  packedBatches,
  pairExamples,
  spare,
  tinyModel,
  tinyModels,
  decided,
} from '../../../testing/index.js';

const ROWS = 3;
const batches = packedBatches(11, ROWS);

/** Slots of the tokens of a row's segment. */
const slotsIn = ({ segments, slots, length }: PackedBatch, row: number, segment: number): number[] =>
  [...slots.subarray(row * length, (row + 1) * length)].filter(
    (_, at) => segments[row * length + at] === segment,
  );

describe('decided pairs', () => {
  it('begin with a token that comes once, before another, and end in completions that differ', () =>
    fc.assert(
      fc.property(pairExamples(11, ROWS), (examples) => {
        for (const { prompt, adversarial, desired } of decided(11, examples)) {
          const [first, ...others] = [...prompt, ...adversarial, ...desired];
          expect(prompt.length).toBeGreaterThan(1);
          expect(others).not.toContain(first);
          expect(others.every((token) => token >= 0 && token < 11)).toBe(true);
          expect(adversarial).not.toEqual(desired);
        }
      }),
    ));

  it('are what they were where that was so', () =>
    fc.assert(
      fc.property(pairExamples(11, ROWS), (examples) => {
        const once = decided(11, examples);
        expect(decided(11, once)).toEqual(once);
      }),
    ));
});

describe('packed batches', () => {
  it('attack something in every row, and nothing in padding', () =>
    fc.assert(
      fc.property(batches, (batch) => {
        for (let row = 0; row < ROWS; row++) {
          expect(Math.max(...slotsIn(batch, row, SEGMENT.prompt))).toBeGreaterThanOrEqual(0);
          expect(slotsIn(batch, row, SEGMENT.padding).every((slot) => slot === -1)).toBe(true);
        }
      }),
    ));

  it('are of one shape', () =>
    fc.assert(
      fc.property(batches, ({ rows, length, slotCount, labels }) => {
        const sizes = [
          rows,
          length,
          slotCount,
          labels.desired?.index.length,
          labels.adversarial?.index.length,
        ];
        expect(sizes).toEqual([ROWS, 16, 16, 32, 32]);
      }),
    ));

  it.each<[string, (batch: PackedBatch) => boolean]>([
    ['padding on the left', ({ segments }) => segments[0] === SEGMENT.padding],
    ['padding on the right', ({ segments, length }) => segments[length - 1] === SEGMENT.padding],
    [
      'slots that both completions share',
      (batch) =>
        slotsIn(batch, 0, SEGMENT.adversarial).includes(Math.max(0, ...slotsIn(batch, 0, SEGMENT.desired))),
    ],
    ['prompts of which a mask spares a token', (batch) => slotsIn(batch, 1, SEGMENT.prompt).includes(-1)],
    [
      'rows of different lengths',
      (batch) => slotsIn(batch, 0, SEGMENT.padding).length !== slotsIn(batch, 1, SEGMENT.padding).length,
    ],
  ])('reach %s', (_, wanted) => {
    const found = fc.sample(batches, { numRuns: 200, seed: 1 }).filter(wanted).length;
    expect(found).toBeGreaterThan(10);
    expect(found).toBeLessThan(200);
  });

  it('print as the expression that makes them again', () =>
    fc.assert(
      fc.property(batches, (batch) => {
        expect(runInNewContext(fc.stringify(batch), { spare, packed })).toEqual(batch);
      }),
    ));

  it('shrink to one token each, without a mask', () => {
    const { counterexample } = fc.check(
      fc.property(batches, (batch) => batch.rows !== ROWS),
      { seed: 1 },
    );
    const one = { prompt: [0], adversarial: [0], desired: [0] };
    expect(counterexample?.[0].tokens).toEqual(packed([one, one, one]).tokens);
  });
});

describe('tiny models', () => {
  it('are of every family, and print as the expression that makes them again', () => {
    const printed = fc.sample(tinyModels(), { numRuns: 400, seed: 1 }).map((model) => fc.stringify(model));
    expect(new Set(printed).size).toBe(3 * Object.keys(FAMILIES).length);
    for (const each of new Set(printed))
      expect(
        (runInNewContext(each, { tinyModel }) as ReturnType<typeof tinyModel>).model.config.vocabularySize,
      ).toBe(11);
  });
});

describe('attack configurations', () => {
  it('are possible, at sites that were given', () =>
    fc.assert(
      fc.property(attackConfigs(['embedding', 'layers.0.q', 'layers.1.mlp']), (config) => {
        const { model } = tinyModel('llama', 0);
        const { sites } = attackPlan(model, config);
        expect(sites.length).toBeGreaterThan(0);
        for (const site of sites) parseSite(model.config, site);
      }),
    ));
});
