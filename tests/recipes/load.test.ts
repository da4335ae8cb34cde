/** @file Recipes: found by name or file, overlaid, and held to one strict schema that says what was meant. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LatstreamError } from '../../foundation/index.js';
import {
  loadRecipe,
  recipeOfArm,
  PUBLISHED,
  recipeOfPreparation,
  RECIPES,
  type Recipe,
} from '../../recipes/index.js';
import { overlay, withValue } from '../../recipes/overlay.js';

let directory: string;
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'latstream-recipes-'))));
afterAll(() => rm(directory, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

async function complaintOf(promise: Promise<unknown>): Promise<LatstreamError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LatstreamError);
  return error as LatstreamError;
}

/** Every dotted path of an object, down to scalars and lists. */
function paths(node: object, prefix = ''): string[] {
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const inner =
      typeof value === 'object' && value !== null && !Array.isArray(value) ? paths(value, path) : [];
    return [path, ...inner];
  });
}

/** Where the schema takes any key: columns, names of arms, a model's own configuration. */
const OPEN = /^(model\.config|arms|data\.(pairs|benign)\.columns|evaluate\.(harmful|benign)\.columns)(\.|$)/;

describe('loadRecipe', () => {
  it.each(Object.keys(RECIPES))('gives %s, whole, and every arm of it', async (name) => {
    const recipe = await loadRecipe(name);
    expect(recipe.name).toBe(name);
    for (const arm of Object.keys(recipe.arms)) expect(recipeOfArm(recipe, arm).steps).toBe(recipe.steps);
  });

  it.each(Object.keys(PUBLISHED))('gives %s, as published, and every arm of it', async (name) => {
    const recipe = await loadRecipe(name);
    expect(recipe.name).toBe(name);
    for (const arm of Object.keys(recipe.arms)) {
      const own = recipeOfArm(recipe, arm);
      expect(JSON.stringify(own.data)).not.toContain('@package');
      if (own.attack) expect(own.attack.iterations).toBe(16);
    }
  });

  it('refuses an unknown key anywhere, by its whole path', async () => {
    const places = paths(RECIPES['jailbreak']?.() ?? {}).filter((path) => !OPEN.test(path));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), async (place) => {
        const path = `${place}x`;
        const { code, message } = await complaintOf(loadRecipe('jailbreak', { set: [`${path}=1`] }));
        expect(code).toBe('RECIPE_UNKNOWN_KEY');
        expect(message).toContain(`got ${path};`);
        expect(message).toContain(`did you mean`);
        expect(message).toContain(place.split('.').at(-1));
      }),
    );
  });

  it('types --set by the schema: numbers, lists, null, and text that looks like a number', async () => {
    const set = [
      'attack.epsilon=0.5',
      'attack.sites=["embedding"]',
      'data.benign=null',
      'name=7',
      'data.pairs.path=5',
    ];
    const recipe = await loadRecipe('tiny', { seed: 9, set });
    expect(recipe).toMatchObject({ name: '7', seed: 9, attack: { epsilon: 0.5, sites: ['embedding'] } });
    expect(recipe.data).toMatchObject({ benign: null, pairs: { path: '5' } });
    expect((await complaintOf(loadRecipe('tiny', { set: ['steps'] }))).code).toBe('RECIPE_SET');
    expect((await complaintOf(loadRecipe('tiny', { set: ['steps=-1'] }))).message).toContain('got -1');
  });

  it('overlays a file on its base, resolves paths against the file, and drops arms that are null', async () => {
    const yaml =
      'base: tiny\nsteps: 3\nmodel:\n  kind: directory\n  path: models/x\narms:\n  refusal: null\n';
    const recipe = await loadRecipe(await file('a.yaml', yaml));
    expect(recipe.steps).toBe(3);
    expect(recipe.model).toEqual({ kind: 'directory', path: join(directory, 'models/x') });
    expect(Object.keys(recipe.arms)).toEqual(['lat']);
    expect((recipe.data.pairs as { path: string }).path).toBe('@out/synthetic/harmful.parquet');
  });

  it('says what is wrong with a file', async () => {
    expect((await complaintOf(loadRecipe(join(directory, 'none.json')))).code).toBe('RECIPE_UNREADABLE');
    expect((await complaintOf(loadRecipe(await file('b.yaml', 'a: [1')))).code).toBe('RECIPE_UNREADABLE');
    expect((await complaintOf(loadRecipe(await file('c.json', '[1]')))).code).toBe('RECIPE_UNREADABLE');
    expect((await complaintOf(loadRecipe(await file('d.json', '{"name":"x"}')))).code).toBe('RECIPE_INVALID');
  });

  it('refuses an arm that changes what arms share', async () => {
    const text = JSON.stringify({ base: 'tiny', arms: { odd: { threads: 4 } } });
    expect((await complaintOf(loadRecipe(await file('e.json', text)))).code).toBe('RECIPE_ARM');
  });
});

describe('what a recipe prepares', () => {
  const complaint = (over: object) =>
    complaintOf(
      loadRecipe('backdoor', { set: Object.entries(over).map(([k, v]) => `${k}=${JSON.stringify(v)}`) }),
    );

  it('is an overlay that trains a whole model, in words that arms know, too', async () => {
    const recipe = await loadRecipe('backdoor');
    const own = recipeOfPreparation(recipe);
    expect(own).toMatchObject({
      data: { absent: [], benign: null },
      attack: null,
      evaluate: { latent: null },
    });
    expect(recipe.data.absent).not.toEqual([]);
    expect(recipeOfPreparation(await loadRecipe('tiny'))).toBeUndefined();
    expect(await complaint({ 'prepare.model': {} })).toMatchObject({ code: 'RECIPE_ARM' });
    expect(await complaint({ 'prepare.stepz': 1 })).toMatchObject({ code: 'RECIPE_UNKNOWN_KEY' });
  });

  it('has a folder of its own, which no arm may take', async () => {
    for (const name of ['base', 'prepare', 'synthetic'])
      expect(await complaint({ arms: { [name]: {} } })).toMatchObject({ code: 'RECIPE_INVALID' });
  });
});

describe('overlay', () => {
  const plain = fc.object({
    maxDepth: 3,
    withNullPrototype: false,
    values: [fc.integer(), fc.string(), fc.constant(null)],
  });

  it('of nothing changes nothing, and of itself neither', () => {
    fc.assert(
      fc.property(plain, (base) => {
        const given = base;
        expect(overlay(given, {})).toEqual(given);
        expect(overlay(given, given)).toEqual(given);
      }),
    );
  });

  it('puts a value of another kind in place of the old one, and merges within a kind', () => {
    const base = { train: { kind: 'adapters', rank: 4 } };
    expect(overlay(base, { train: { kind: 'full', layers: 'all' } })).toEqual({
      train: { kind: 'full', layers: 'all' },
    });
    expect(overlay(base, { train: { alpha: 8 } })).toEqual({
      train: { kind: 'adapters', rank: 4, alpha: 8 },
    });
  });

  it('leaves its arguments alone; withValue replaces without merging', () => {
    const base = { a: { b: 1, c: 2 } };
    expect(withValue(base, ['a'], { d: 3 })).toEqual({ a: { d: 3 } });
    expect(withValue(base, ['a', 'b'], 5)).toEqual({ a: { b: 5, c: 2 } });
    expect(base).toEqual({ a: { b: 1, c: 2 } });
  });
});

describe('datasets of a recipe', () => {
  const recipeOf = async (data: object): Promise<Recipe> => {
    const path = join(await mkdtemp(join(tmpdir(), 'latstream-recipes-')), 'r.json');
    onTestFinished(() => rm(dirname(path), { recursive: true, force: true }));
    await writeFile(path, JSON.stringify({ base: 'tiny', data }));
    const recipe = await loadRecipe(path);
    return JSON.parse(JSON.stringify(recipe).replaceAll(`${dirname(path)}/`, './')) as Recipe;
  };
  const columns = { prompt: 'p', adversarial: 'a', desired: 'd' };

  it('may be mixtures, with paths relative to the file, addresses, presets and filters', async () => {
    const pairs = [
      {
        path: ['x.csv', '/y/*.csv', 'hf://datasets/x/y'],
        columns,
        weight: 2,
        filter: [{ column: 'p', minLength: 3 }],
      },
      { preset: 'LLM-LAT/harmful-dataset', repeat: false },
    ];
    const { data } = await recipeOf({ pairs, benign: { preset: 'tatsu-lab/alpaca' } });
    expect(data.pairs).toEqual([
      { ...pairs[0], path: ['./x.csv', '/y/*.csv', 'hf://datasets/x/y'] },
      pairs[1],
    ]);
    expect(data.benign).toEqual({ preset: 'tatsu-lab/alpaca' });
  });

  it('replace those of the base where they are complete, else say what is different', async () => {
    const whole = { path: '/x.jsonl', columns: { messages: 'messages' } };
    expect((await recipeOf({ benign: whole })).data.benign).toEqual(whole);
    expect((await recipeOf({ benign: { path: '/x.jsonl' } })).data.benign).toEqual({
      path: '/x.jsonl',
      columns: { prompt: 'prompt', completion: 'completion' },
    });
  });

  it('name the nearest key, wherever it is, and what is missing', async () => {
    const failure = (pairs: unknown): Promise<string> => recipeOf({ pairs }).then(String, String);
    expect(await failure({ path: 'x', columns, wieght: 1 })).toMatch(
      /got data.pairs.wieght; did you mean weight/,
    );
    expect(
      await failure([
        { path: 'x', columns },
        { path: 'x', columns, wieght: 1 },
      ]),
    ).toMatch(/data.pairs.1.wieght; did you mean weight/);
    expect(await failure([{ path: 'x', columns, filter: [{ colum: 'a' }] }])).toMatch(
      /data.pairs.0.filter.0.colum; did you mean column/,
    );
    expect(await failure([{ path: 'x' }])).toMatch(/a preset, or path and columns/);
    expect(await failure([{ path: 'x', columns, weight: -1 }])).toMatch(/valid data.pairs.0.weight.*got -1/);
    expect(await failure(5)).toMatch(/valid data.pairs/);
    expect(await failure([])).toMatch(/valid data.pairs/);
  });
});
