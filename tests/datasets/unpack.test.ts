/** @file Unpacking undoes packing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pack, unpack } from '../../datasets/index.js';
import { pairExamples } from './helpers.js';

it('gives the examples that were packed, whatever their padding', () => {
  const options = fc.record({
    padding: fc.constantFrom('left', 'right'),
    minimum: fc.record({ length: fc.integer({ min: 0, max: 80 }) }),
  });
  fc.assert(
    fc.property(pairExamples(), options, (examples, chosen) => {
      expect(unpack(pack(examples, chosen))).toEqual(examples);
    }),
  );
  const plain = [{ prompt: [1, 2], desired: [3] }];
  expect(unpack(pack(plain))).toEqual(plain);
});
