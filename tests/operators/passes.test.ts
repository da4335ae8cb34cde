/** @file Counts of passes follow from configuration and batch: what each option of an attack and each loss adds. */
import { describe, expect, it } from 'vitest';
import { pack } from '../../datasets/index.js';
import { attackPasses } from '../../operators/attack/passes.js';
import { attackPlan } from '../../operators/attack/plan.js';
import { referencePasses, updatePasses } from '../../operators/defend/passes.js';
import { partsOf, type AttackConfig } from '../../operators/index.js';
import { tiny } from '../../recipes/tiny.js';
import { tinyModel } from '../helpers/tiny-model.js';

const rows = [
  { prompt: [1, 2, 3], adversarial: [4, 5], desired: [6] },
  { prompt: [1], adversarial: [2], desired: [3, 4] },
];
/** 6 and 4 tokens that are no padding. */
const batch = pack(rows, { attacked: 'prompt' });
const attack: AttackConfig = { ...(tiny().attack as AttackConfig), sites: ['embedding'], iterations: 5 };
const counted = (over: Partial<AttackConfig>): readonly number[] => {
  const config = { ...attack, ...over };
  const { forwardPasses, backwardPasses, forwardTokens, backwardTokens } = attackPasses(
    config,
    attackPlan(tinyModel, config),
    batch,
  );
  expect([forwardTokens, backwardTokens]).toEqual([10 * forwardPasses, 10 * backwardPasses]);
  return [forwardPasses, backwardPasses];
};

describe('attackPasses', () => {
  it.each([
    ['as published', {}, [5, 5]],
    ['a relative radius, which is surveyed', { radius: 'relative' }, [6, 5]],
    ['a reference, for losses that compare', { losses: { dpo: 1 } }, [6, 5]],
    ['three searches, each judged row by row, and the strongest assessed', { restarts: 3 }, [15 + 3 + 1, 15]],
    ['noise, which takes no gradient', { search: 'noise' }, [1, 0]],
  ] as [string, Partial<AttackConfig>, number[]][])('counts %s', (_, over, expected) => {
    expect(counted(over)).toEqual(expected);
  });
});

describe('passes of a defence', () => {
  const parts = partsOf({ pairs: batch, benign: batch }, 2);

  it('are one forward and back for each part of each kind of rows, whose tokens add up to the batch', () => {
    expect(updatePasses(['toward', 'sft'], parts)).toEqual({
      forwardPasses: 4,
      backwardPasses: 4,
      forwardTokens: 20,
      backwardTokens: 20,
    });
    expect(updatePasses(['sft'], parts)).toMatchObject({ forwardPasses: 2, forwardTokens: 10 });
  });

  it('count the base model where a loss compares with it, and the look that kl takes at a batch in parts', () => {
    expect(referencePasses(['toward', 'sft'], parts).forwardPasses).toBe(0);
    expect(referencePasses(['dpo', 'kl', 'retain'], parts)).toMatchObject({
      forwardPasses: 6,
      backwardPasses: 0,
    });
    expect(updatePasses(['kl'], parts)).toMatchObject({ forwardPasses: 4, backwardPasses: 2 });
    expect(updatePasses(['kl'], partsOf({ benign: batch }, 1))).toMatchObject({ forwardPasses: 1 });
  });
});
