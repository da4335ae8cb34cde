/** @file A pool on the embedded model: the search makes compliant answers likelier, and the next step goes on from there. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { askable } from '../../../commands/run/askable.js';
import { batchesOf } from '../../../commands/run/batches.js';
import { placed } from '../../../commands/run/places.js';
import { poolOf } from '../../../commands/run/pool-of.js';
import { baseWeights, openRecipe } from '../../../commands/run/stage.js';
import { loadRecipe, recipeOfArm } from '../../../recipes/index.js';

it('lowers the mean loss of its cases, further the longer it is searched', async () => {
  const out = await mkdtemp(join(tmpdir(), 'latstream-pool-'));
  const recipe = recipeOfArm(
    placed(await loadRecipe('r2d2', { set: ['threads=1', 'data.pairsPerBatch=3'] }), out),
    'r2d2',
  );
  const stage = await openRecipe(recipe, out);
  const subject = askable(recipe, stage, { config: stage.config }, () => baseWeights(stage));
  const small = { ...recipe, pool: { ...recipe.pool!, size: 3, resetEvery: 3 } };
  const pool = poolOf(small, stage, subject, expect.unreachable)!;
  const losses: number[] = [];
  for await (const batch of batchesOf(recipe, stage, undefined)) {
    const step = batch.index + 1;
    const { values } = await pool.searched(batch.pairs, { step, seed: recipe.seed });
    losses.push(values.firstLoss, values.loss);
    if (step === 2) break;
  }
  const [begun, first, again, second] = losses as [number, number, number, number];
  expect(first).toBeLessThan(0.95 * begun);
  expect(again).toBeCloseTo(first, 5); // The model is as it was, and so are the cases.
  expect(second).toBeLessThan(first);
  await stage.dispose();
});
