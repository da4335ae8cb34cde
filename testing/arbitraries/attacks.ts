/** @file Arbitraries of attack configurations: all that do not contradict themselves. Plain data, printed as it is. */
import fc from 'fast-check';
import type { AttackConfig } from '../../operators/index.js';

/** Radii that laws are tried with. */
export const radii: fc.Arbitrary<number> = fc.double({ min: 0.05, max: 2, noNaN: true });

/** Losses of attacks, with a target and without. */
export const attackLosses: fc.Arbitrary<AttackConfig['losses']> = fc.constantFrom(
  { toward: 1 },
  { toward: 1, away: 0.5 },
  { ga: 1 },
  { dpo: 1 },
  { ipo: 0.1, npo: 1 },
);

const always = (sites: readonly string[]) => ({
  sites: fc.subarray([...sites], { minLength: 1, maxLength: 3 }),
  segments: fc.constant('prompt' as const),
  epsilon: radii,
  iterations: fc.integer({ min: 1, max: 4 }),
  learningRate: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
  betas: fc.constant([0.9, 0.999] as const),
  adamEpsilon: fc.constant(1e-8),
  weightDecay: fc.constantFrom(0, 0.01),
  losses: attackLosses,
  radius: fc.constantFrom('absolute' as const, 'relative' as const),
  per: fc.constantFrom('token' as const, 'example' as const),
  restarts: fc.integer({ min: 1, max: 3 }),
});

/**
 * Configurations of attacks on some of these sites: gradient searches with free, low-rank and full-rank adversaries, and
 * noise. Whitened adversaries are left out: they need the components of some model's activations.
 */
export function attackConfigs(sites: readonly string[]): fc.Arbitrary<AttackConfig> {
  const gradient = fc.record({
    ...always(sites),
    search: fc.constant('gradient' as const),
    adversary: fc.oneof(
      fc.constant({ kind: 'free' as const }),
      fc.record({ kind: fc.constant('low-rank' as const), rank: fc.integer({ min: 1, max: 3 }) }),
      fc.constant({ kind: 'full-rank' as const }),
    ),
    start: fc.constantFrom('zero' as const, 'random' as const),
    step: fc.constantFrom('adamw' as const, 'sign' as const, 'normalized' as const),
    l2: fc.constantFrom(0, 0.1),
    clipNorm: fc.constantFrom(0.5, 1e3),
  });
  const noise = fc.record({ ...always(sites), search: fc.constant('noise' as const) });
  return fc.oneof({ arbitrary: gradient, weight: 4 }, { arbitrary: noise, weight: 1 });
}
