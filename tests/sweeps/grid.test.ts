/** @file The grammar of grids, and the cells that they make. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatstreamError } from '../../foundation/index.js';
import { axesOf, axisOf, axisText, settingOf } from '../../sweeps/axis.js';
import { cellsOf, cellText, type Cell } from '../../sweeps/cells.js';
import type { Json } from '../../sweeps/values.js';

const ALL = { zip: [], most: 1e6 };
const key = (cell: Cell): string => JSON.stringify(cell);

const json = (): fc.Arbitrary<Json> =>
  fc
    .oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('0..3', '1..', '-', 'log(1,2,3)', 'null', '1e-3', 'a b', '@out/x', '../m', ''),
      fc.jsonValue({ maxDepth: 3 }),
    )
    .map((value) => JSON.parse(JSON.stringify(value)) as Json);

const name = (): fc.Arbitrary<string> => fc.stringMatching(/^[a-z][\w-]{0,5}(\.[a-z]\w{0,5}){0,2}$/);
const axis = (most = 5) =>
  fc.record({
    name: name(),
    values: fc.uniqueArray(json(), {
      minLength: 1,
      maxLength: most,
      selector: (each) => JSON.stringify(each),
    }),
  });
const axes = (most = 4) =>
  fc.uniqueArray(axis(), { minLength: 1, maxLength: most, selector: (each) => each.name });

describe('a grid', () => {
  it('is read back from what it is written as', () => {
    fc.assert(
      fc.property(axis(), (made) => {
        expect(axisOf(axisText(made))).toEqual(made);
      }),
      { numRuns: 1000 },
    );
  });

  it('is read, or refused with SWEEP_GRID, whatever is written', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.stringMatching(/^[a-z]=[-0-9.,eE[\]{}()"'a:*&!? \\]{0,16}$/),
      fc.stringMatching(/^a=(lin|log)\([-0-9.,eE]{0,12}\)$/),
    );
    fc.assert(
      fc.property(text, (written) => {
        try {
          const { values } = axisOf(written);
          expect(values.length).toBeGreaterThan(0);
          expect(JSON.parse(JSON.stringify(values))).toEqual(values);
        } catch (error) {
          expect(error instanceof LatstreamError ? error.code : error).toBe('SWEEP_GRID');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it.each<[string, unknown[]]>([
    ['epsilon=0.5,1,2', [0.5, 1, 2]],
    ['seed=0..4', [0, 1, 2, 3, 4]],
    ['seed=-1..1,7', [-1, 0, 1, 7]],
    ['rate=log(1e-5,1e-3,3)', [1e-5, 1e-4, 1e-3]],
    ['rate=lin(0,1,5)', [0, 0.25, 0.5, 0.75, 1]],
    [
      'layers=[4,8],[8,12]',
      [
        [4, 8],
        [8, 12],
      ],
    ],
    ['attack.sites=[embedding, layers.4.residual],all', [['embedding', 'layers.4.residual'], 'all']],
    ['evaluate.gcg={tokens: 8},null', [{ tokens: 8 }, null]],
    ['a="1,2",true,"true"', ['1,2', true, 'true']],
    ['model.path=../m,hf:org/name@main', ['../m', 'hf:org/name@main']],
    ['x=0,-1', [0, -1]],
  ])('reads %s', (text, values) => expect(axisOf(text).values).toEqual(values));

  it.each([
    '',
    'epsilon',
    '=1',
    'a b=1',
    'epsilon=',
    'epsilon=1,,2',
    'epsilon=1,1.0',
    'epsilon=-0,0',
    'seed=0..',
    'seed=..4',
    'seed=4..0',
    'seed=0..1e9',
    'seed=0..20000',
    'rate=1e-5..1e-3',
    'rate=log(0,1,3)',
    'rate=log(1,0.1,3)',
    'rate=log(1,10)',
    'rate=lin(0,1,1)',
    'rate=lin(0,1,2.5)',
    'rate=lin(0,1,3',
    'layers=[4,8',
    'layers=4,8]',
    'layers=[4,8}',
    'layers=[.nan]',
    'layers=[&a 1, *a]',
    'x="open',
    `x=${'['.repeat(500)}${']'.repeat(500)}`,
  ])('refuses %s', (text) =>
    expect(() => axisOf(text)).toThrow(expect.objectContaining({ code: 'SWEEP_GRID' })),
  );

  it('refuses two axes that vary the same', () => {
    for (const pair of [
      ['seed=0', 'seed=1'],
      ['epsilon=1', 'attack.epsilon=2'],
    ])
      expect(() => axesOf(pair)).toThrow(expect.objectContaining({ code: 'SWEEP_GRID' }));
  });

  it('means paths of the recipe, layers by their numbers', () => {
    expect(settingOf('epsilon', 2)).toBe('attack.epsilon=2');
    expect(settingOf('learningRate', 1e-4)).toBe('defend.learningRate=0.0001');
    expect(settingOf('layers', [4, 'embedding'])).toBe('attack.sites=["layers.4.residual","embedding"]');
    expect(settingOf('layers', 0)).toBe('attack.sites=["layers.0.residual"]');
    expect(settingOf('layers', 'all')).toBe('attack.sites="all"');
    expect(settingOf('steps', 6)).toBe('steps=6');
  });
});

describe('cells', () => {
  it('are as many as the product of their axes, all different, with every axis in its order', () => {
    fc.assert(
      fc.property(axes(), (made) => {
        const cells = cellsOf(made, ALL);
        expect(cells).toHaveLength(made.reduce((product, { values }) => product * values.length, 1));
        expect(new Set(cells.map(key)).size).toBe(cells.length);
        expect(new Set(cells.map(cellText)).size).toBe(cells.length);
        for (const cell of cells)
          expect(cell.map((each) => each.name)).toEqual(made.map((each) => each.name));
      }),
    );
  });

  it('of axes that go together count once', () => {
    const pair = fc
      .integer({ min: 1, max: 5 })
      .chain((length) =>
        fc.tuple(
          ...['a', 'b'].map((of) =>
            fc
              .uniqueArray(fc.integer(), { minLength: length, maxLength: length })
              .map((values) => ({ name: of, values })),
          ),
        ),
      );
    fc.assert(
      fc.property(pair, fc.integer({ min: 1, max: 4 }), ([a, b], seeds) => {
        const seed = { name: 'seed', values: Array.from({ length: seeds }, (_, at) => at) };
        const cells = cellsOf([a!, seed, b!], { ...ALL, zip: [['a', 'b']] });
        expect(cells).toHaveLength(a!.values.length * seeds);
        for (const [one, , other] of cells)
          expect(a!.values.indexOf(one!.value as number)).toBe(b!.values.indexOf(other!.value as number));
      }),
    );
  });

  it('that are drawn are cells, different, the same for the same seed, and more begin with fewer', () => {
    fc.assert(
      fc.property(axes(3), fc.nat(9), fc.nat(20), fc.nat(20), (made, seed, some, more) => {
        const all = new Set(cellsOf(made, ALL).map(key));
        const drawn = (count: number): string[] =>
          cellsOf(made, { ...ALL, random: { count, seed } }).map(key);
        const few = drawn(some);
        expect(few).toHaveLength(Math.min(some, all.size));
        expect(new Set(few).size).toBe(few.length);
        expect(few.every((cell) => all.has(cell))).toBe(true);
        const many = drawn(some + more);
        if (many.length < all.size) expect(many.slice(0, few.length)).toEqual(few);
      }),
    );
  });

  it.each<[string, string[], Partial<Parameters<typeof cellsOf>[1]>, string]>([
    ['too many', ['seed=0..999', 'epsilon=1,2'], { most: 1000 }, 'SWEEP_CELLS'],
    [
      'more than can be counted',
      ['a=0..9999', 'b=0..9999', 'c=0..9999', 'd=0..9999'],
      { random: { count: 3, seed: 0 } },
      'SWEEP_CELLS',
    ],
    ['an unknown axis', ['seed=0..2', 'epsilon=1,2,3'], { zip: [['seed', 'rate']] }, 'SWEEP_GRID'],
    ['other lengths', ['seed=0..2', 'epsilon=1,2'], { zip: [['seed', 'epsilon']] }, 'SWEEP_GRID'],
    [
      'an axis in two groups',
      ['a=1', 'b=1', 'c=1'],
      {
        zip: [
          ['a', 'b'],
          ['b', 'c'],
        ],
      },
      'SWEEP_GRID',
    ],
  ])('are refused: %s', (_, texts, options, code) =>
    expect(() => cellsOf(axesOf(texts), { ...ALL, ...options })).toThrow(expect.objectContaining({ code })),
  );
});
