/** @file Laws of which checkpoints stay. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retained, type Retention, type Saved } from '../../operators/retention.js';

const histories = fc.uniqueArray(
  fc.record({
    step: fc.integer({ min: 1, max: 60 }),
    score: fc.option(fc.integer({ max: 9 }), { nil: undefined }),
  }),
  { selector: ({ step }) => step, minLength: 1 },
);
const best = fc.record({
  metric: fc.constant('evaluate.x'),
  is: fc.constantFrom('least' as const, 'greatest' as const),
  keep: fc.integer({ min: 1, max: 4 }),
});
const policies: fc.Arbitrary<Retention> = fc.record({
  keep: fc.integer({ min: 1, max: 4 }),
  keepEvery: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
  best: fc.option(best, { nil: undefined }),
});

/** What is left when each checkpoint is followed by a removal. */
function over(history: readonly Saved[], policy: Retention): readonly Saved[] {
  return history
    .toSorted((a, b) => a.step - b.step)
    .reduce<readonly Saved[]>((left, each) => {
      const present = [...left, each];
      const staying = retained(present, policy);
      return present.filter(({ step }) => staying.has(step));
    }, []);
}

describe('retention', () => {
  it('keeps the last ones, every multiple, and no more than the policy names', () => {
    fc.assert(
      fc.property(histories, policies, (history, policy) => {
        const left = over(history, policy).map(({ step }) => step);
        const steps = history.map(({ step }) => step).sort((a, b) => a - b);
        const multiples = steps.filter((step) => policy.keepEvery && step % policy.keepEvery === 0);
        expect(left).toEqual(expect.arrayContaining([...steps.slice(-policy.keep), ...multiples]));
        expect(left.length).toBeLessThanOrEqual(policy.keep + multiples.length + (policy.best?.keep ?? 0));
      }),
    );
  });

  it('one by one keeps what it keeps of all at once: no better one was ever removed', () => {
    fc.assert(
      fc.property(histories, policies, (history, policy) => {
        const left = new Set(over(history, policy).map(({ step }) => step));
        expect(left).toEqual(new Set(retained(history, policy)));
        if (!policy.best) return;
        const sign = policy.best.is === 'least' ? 1 : -1;
        const scores = (of: readonly Saved[]): number[] =>
          of.flatMap(({ score }) => (score === undefined ? [] : [sign * score])).sort((a, b) => a - b);
        const kept = scores(history.filter(({ step }) => left.has(step)));
        expect(kept.slice(0, policy.best.keep)).toEqual(scores(history).slice(0, policy.best.keep));
      }),
    );
  });
});
