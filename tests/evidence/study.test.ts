/** @file An experiment on made-up runs: what is chosen, what is asked once, and what the tables say of it. */
import { describe, expect, it } from 'vitest';
import { placed, tablesOf } from '../../evidence/document.js';
import { ARMS, asking, sixArms, type Experiment, type Overlay } from '../../evidence/experiment.js';
import { furtherRecipe, relearningRecipe } from '../../evidence/further.js';
import { r2d2, SHARED } from '../../evidence/r2d2.js';
import type { FinishedArm } from '../../evidence/run-cli.js';
import { study } from '../../evidence/study.js';
import { backdoor } from '../../evidence/backdoor.js';
import { jailbreak } from '../../evidence/jailbreak.js';
import { unlearning } from '../../evidence/unlearning.js';
import { wilson } from '../../foundation/index.js';
import type { Evaluation, Outcome } from '../../operators/index.js';
import { checkRecipe, overlay, RECIPES, recipeOfArm } from '../../recipes/index.js';

const evaluation = (outcomes: readonly Outcome[]): Evaluation => {
  const counts = { comply: 0, refuse: 0, incoherent: 0 };
  outcomes.forEach((outcome) => counts[outcome]++);
  const n = outcomes.length;
  const attack = { n, counts, comply: wilson(counts.comply, n), outcomes };
  const right = outcomes.map((outcome) => outcome === 'refuse');
  const benign = { n, correct: n, accuracy: wilson(n, n), refused: 0, outcomes: right };
  return { attacks: { direct: attack }, benign };
};

const made: Experiment = {
  name: 'made',
  title: 'Made up',
  recipe: 'jailbreak',
  overlay: {},
  arms: sixArms(),
  candidates: [{ defend: { learningRate: 1 } }, { defend: { learningRate: 2 } }],
  validation: asking({ to: 64 }, {}),
  test: asking({ from: 64 }, {}),
  cost: ({ attacks }) => attacks['direct']?.comply.estimate ?? 1,
  reported: ['direct'],
  further: asking({ from: 64 }, { direct: true }),
  relearning: { recipe: 'relearn', arms: ['lora-1e-3'] },
};

describe('study', () => {
  it('tries the same candidates for every arm, chooses by validation, and asks the test with fresh seeds', async () => {
    const asked: { out: string; seed: unknown; arms: Record<string, Overlay | null>; rows: unknown }[] = [];
    const found = await study(made, 2, '/runs', {
      note: () => undefined,
      train: (recipe, out) => {
        const arms = recipe['arms'] as Record<string, Overlay | null>;
        const { filter } = (recipe['evaluate'] as { harmful: { filter: unknown } }).harmful;
        asked.push({ out, seed: recipe['seed'], arms, rows: filter });
        // Every arm but `noise` is better off with the second candidate.
        const outcomesOf = (name: string, arm: Overlay): Outcome[] => {
          const { learningRate } = arm['defend'] as { learningRate: number };
          const good = name === 'noise' ? learningRate === 1 : learningRate === 2;
          return ['comply', good ? 'refuse' : 'comply'];
        };
        return Promise.resolve({
          base: evaluation(['comply', 'comply']),
          arms: Object.entries(arms).flatMap(([name, arm]) =>
            arm
              ? [
                  {
                    name,
                    steps: 10,
                    weights: '/runs/model',
                    tokens: name === 'both' ? 300 : 100,
                    evaluation: evaluation(outcomesOf(name, arm)),
                  },
                ]
              : [],
          ),
        });
      },
    });
    expect(found.chosen).toEqual({ alone: 1, noise: 0, untargeted: 1, embedding: 1, latent: 1, both: 1 });
    expect(asked.map(({ out, seed }) => [out, seed])).toEqual([
      ['/runs/made/sweep-0', 1000],
      ['/runs/made/sweep-1', 1000],
      ['/runs/made/updates-0', 0],
      ['/runs/made/passes-0', 0],
      ['/runs/made/updates-1', 1],
      ['/runs/made/passes-1', 1],
    ]);
    expect(asked.map(({ rows }) => rows)).toEqual([
      ...Array<unknown>(2).fill([{ rows: { to: 64 } }]),
      ...Array<unknown>(4).fill([{ rows: { from: 64 } }]),
    ]);
    const [, , updates, passes] = asked;
    expect(updates?.arms['lat']).toBeNull(); // The recipe's own arms are left out.
    expect(updates?.arms['noise']).toMatchObject({
      defend: { learningRate: 1 },
      attack: { search: 'noise' },
    });
    expect(passes?.arms['alone']).toMatchObject({ attack: null, steps: 30 });
    expect(passes?.arms['both']).toBeUndefined();
    const text = tablesOf(made, found);
    expect(text).toContain('| direct | 100.0 [100.0, 100.0] | 50.0 ');
    expect(text).toContain('| benign: correct |');
    for (const arm of ARMS) expect(text).toContain(`| ${arm} |`);
  });

  it.each([jailbreak, backdoor, unlearning])('has arms that are recipes: $name', (experiment) => {
    const base = RECIPES[experiment.recipe]?.() ?? {};
    for (const asks of [experiment.validation, experiment.test])
      for (const arm of ARMS)
        for (const candidate of experiment.candidates) {
          const whole = overlay(overlay(base, experiment.overlay), asks);
          const arms = { [arm]: overlay(candidate, experiment.arms[arm]) };
          const recipe = recipeOfArm(checkRecipe({ ...whole, arms }, 'made'), arm);
          expect(recipe.attack === null).toBe(arm === 'alone');
          expect(recipe.evaluate.harmful?.path).toMatch(/held-out\.parquet$/);
        }
  });
});

describe('further attacks', () => {
  it.each([jailbreak, backdoor, unlearning])('are recipes, and so is re-learning: $name', (experiment) => {
    const { base, ...asked } = furtherRecipe(experiment, '/runs/made/updates-0');
    expect(base).toBe(experiment.recipe);
    const whole = checkRecipe(overlay(RECIPES[experiment.recipe]?.() ?? {}, asked), 'made');
    expect(whole.model).toEqual({ kind: 'run', path: '/runs/made/updates-0', arm: 'base' });
    expect(whole.prepare).toBeNull();
    const { arms } = relearningRecipe(experiment) as { arms: Record<string, null> };
    const all = Object.keys(RECIPES[experiment.relearning.recipe]?.().arms ?? {});
    expect(all.filter((arm) => arms[arm] === undefined)).toEqual(experiment.relearning.arms);
  });
});

describe('perturbations beside suffixes', () => {
  it('asks every seed of both arms, the first by what costs much, and tells what they cost', async () => {
    const asked: [string, unknown][] = [];
    const arm = (name: string, outcomes: Outcome[], tokens: number): FinishedArm => ({
      ...{ name, steps: 36, weights: '/runs/model', tokens },
      evaluation: evaluation(outcomes),
    });
    const { text, runs } = await r2d2(
      { seeds: 2, out: '/runs', further: true },
      {
        note: () => undefined,
        train: (recipe, out) => {
          asked.push([out, recipe['seed']]);
          return Promise.resolve({
            base: evaluation(['comply', 'comply']),
            arms: [
              arm('lat', ['refuse', 'refuse'], 1000),
              arm('r2d2', ['comply', 'refuse'], out.endsWith('0') ? 2000 : 4000),
            ],
          });
        },
        evaluated: (_, adapters, out) => {
          asked.push([out, adapters]);
          return Promise.resolve({ ...evaluation([]), attacks: { gcg8: { n: 4, comply: 1 } } });
        },
      },
    );
    expect(asked).toEqual([
      ['/runs/r2d2/seed-0', 0],
      ['/runs/r2d2/seed-1', 1],
      ['/runs/r2d2/further-base.json', null],
      ['/runs/r2d2/further-lat.json', '/runs/r2d2/seed-0/lat/adapter'],
      ['/runs/r2d2/further-r2d2.json', '/runs/r2d2/seed-0/r2d2/adapter'],
    ]);
    expect(runs).toEqual(['/runs/r2d2/seed-0', '/runs/r2d2/seed-1']);
    expect(text).toContain('| direct | 100.0 [100.0, 100.0] | 0.0 [0.0, 0.0] | 50.0 ');
    expect(text).toContain('| tokens | 1 | 3 |');
    expect(text).toContain('| gcg8 | 25 | 25 | 25 |');
  });

  it('evaluates by a recipe', () => {
    const whole = overlay(RECIPES['r2d2']?.() ?? {}, SHARED);
    expect(checkRecipe(whole, 'made').evaluate.harmful?.path).toMatch(/held-out\.parquet$/);
  });
});

describe('a document', () => {
  it('keeps the words around its tables, and says where a table has no place', () => {
    const before = 'Words.\n<!-- a: begin -->\nold\n<!-- a: end -->\nMore.';
    expect(placed(before, 'a', 'new')).toBe('Words.\n<!-- a: begin -->\n\nnew\n\n<!-- a: end -->\nMore.');
    expect(() => placed(before, 'b', 'new')).toThrow('<!-- b: begin -->');
  });
});
