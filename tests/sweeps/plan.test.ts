/** @file What a sweep plans to run: recipes checked before anything is submitted, each known by its digest. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { submission } from '../../daemon/protocol.js';
import { tiny } from '../../recipes/tiny.js';
import { axesOf, axisText, type Axis } from '../../sweeps/axis.js';
import { cellsOf } from '../../sweeps/cells.js';
import { cellIn, labelsOf } from '../../sweeps/labels.js';
import { planOf, runName, type Plan } from '../../sweeps/plan.js';
import { valueText } from '../../sweeps/values.js';

const planned = (...grid: readonly string[]): Plan =>
  planOf('radii', tiny(), cellsOf(axesOf(grid), { zip: [], most: 1000 }));
const digests = (plan: Plan): string[] => plan.cells.map(({ digest }) => digest);

describe('a plan', () => {
  it('has the recipe that --set would make in every cell', () => {
    const { cells } = planned('epsilon=0.5,2', 'layers=[0],[0,embedding]', 'seed=0..1');
    expect(cells).toHaveLength(8);
    expect(cells[2]!.recipe).toMatchObject({
      seed: 0,
      attack: { epsilon: 0.5, sites: ['layers.0.residual', 'embedding'] },
    });
    expect(cells[7]!.recipe).toMatchObject({ seed: 1, attack: { epsilon: 2 } });
    expect(new Set(digests({ name: '', cells })).size).toBe(8);
  });

  it('knows a cell again in another grid, whatever the order of its keys', () => {
    const [first] = digests(planned('epsilon=0.5', 'seed=3'));
    expect(digests(planned('seed=0..5', 'epsilon=2,0.5'))).toContain(first);
    const { name, seed, ...rest } = tiny();
    const turned = planOf(
      'radii',
      { ...rest, seed, name },
      cellsOf(axesOf(['epsilon=0.5', 'seed=3']), { zip: [], most: 9 }),
    );
    expect(digests(turned)).toEqual([first]);
  });

  it('shows everything that is wrong with any cell, once each', () => {
    const wrong = (): Plan => planned('epsilon=-1,0.5,text', 'seed=0..2');
    expect(wrong).toThrow(expect.objectContaining({ code: 'SWEEP_RECIPE' }));
    expect(wrong).toThrow(
      /6 of 9 that are none:\n {2}epsilon=-1 seed=0 and 2 more: .*\n {2}epsilon=text seed=0 and 2 more: /,
    );
    expect(() => planned('atack.epsilon=1')).toThrow(/did you mean attack/);
    expect(() => planned('arms.lat.steps=0')).toThrow(/arm lat/);
  });

  it('refuses cells that are the same after all, and names that are none', () => {
    expect(() => planned('attack.epsilon=1,2', 'attack=null')).toThrow(
      expect.objectContaining({ code: 'SWEEP_REPEATED' }),
    );
    for (const name of ['', 'a/b', '.', '..', 'x'.repeat(81)])
      expect(() => planOf(name, tiny(), [])).toThrow(expect.objectContaining({ code: 'SWEEP_NAME' }));
  });

  it('is found again in its labels, whatever its values are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 4 }), (values) => {
        const cells = cellsOf([{ name: 'x', values: values as Axis['values'] }], { zip: [], most: 10 });
        for (const cell of cells) {
          fc.pre(valueText(cell[0]!.value).length <= 200);
          const { recipe } = planned('seed=0').cells[0]!;
          expect(cellIn(labelsOf('s', { cell, recipe, digest: 'd' }))).toEqual(
            JSON.parse(JSON.stringify(cell)),
          );
        }
      }),
      { numRuns: 50 },
    );
    const long = 'x'.repeat(300);
    expect(cellIn({ x: `["${long}`.slice(0, 200), sweep: 's', cell: 'd' })[0]!.value).toHaveLength(200);
  });

  it('is submitted under names and labels that the daemon takes', () => {
    const word = fc.stringMatching(/^[\w./@: -]{1,60}$/);
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 3 }), (words) => {
        const grid = axisText({ name: 'evaluate.judge.refusals', values: words.map((each) => [each]) });
        for (const cell of planned(grid, 'seed=0').cells) {
          const labels = labelsOf('radii', cell);
          const body = { recipe: {}, name: runName('radii', cell), labels };
          expect(submission.parse(body)).toEqual(body);
          expect(labels).toMatchObject({ sweep: 'radii', cell: cell.digest, seed: '0' });
        }
      }),
      { numRuns: 30 },
    );
  });
});
