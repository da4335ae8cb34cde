/** @file Laws of the best attacks: the first is the best, each adds, and all together reach what at least one reaches. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OUTCOMES, type Outcome } from '../../../operators/index.js';
import { attackOutcome } from '../../../operators/evaluation/answered.js';
import { atLeastOne, strongest } from '../../../operators/evaluation/strongest.js';

const tried = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 8 }))
  .chain(([attacks, n]) =>
    fc.array(fc.array(fc.constantFrom<Outcome>(...OUTCOMES), { minLength: n, maxLength: n }), {
      minLength: attacks,
      maxLength: attacks,
    }),
  )
  .map((all) => Object.fromEntries(all.map((outcomes, at) => [`a${at}`, attackOutcome(outcomes)])));

it('the first is the best single attack, each further one adds, and the last reaches what at least one does', () => {
  fc.assert(
    fc.property(tried, (attacks) => {
      const chosen = strongest(attacks);
      const shares = chosen.map(({ comply }) => comply.estimate);
      expect(shares[0]).toBe(Math.max(...Object.values(attacks).map(({ comply }) => comply.estimate)));
      expect(attacks[chosen[0]!.attack]!.comply).toEqual(chosen[0]!.comply);
      expect(shares.slice(1).every((share, at) => share > shares[at]!)).toBe(true);
      expect(shares.at(-1)).toBe(atLeastOne(Object.values(attacks))!.comply.estimate);
      expect(new Set(chosen.map(({ attack }) => attack)).size).toBe(chosen.length);
    }),
  );
});
