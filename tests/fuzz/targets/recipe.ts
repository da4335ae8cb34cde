/** @file Recipe files in YAML and JSON, and settings put upon them. */
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadRecipe, RECIPES } from '../../../recipes/index.js';
import { byteMutation, wordMutation } from '../bytes.js';
import { HOSTILE, jsonMutation } from '../json.js';
import type { Files, Mutation, Target } from '../target.js';

const YAML = 'x.yaml';
const SETTINGS = 'settings.json';

/** What YAML has beyond JSON: anchors, aliases, merges, tags, several documents, directives, nests without brackets. */
const WORDS = [
  ...[
    '&a ',
    '*a',
    '*a,',
    '[*a,*a,*a,*a,*a,*a,*a,*a,*a]',
    '<<: *a\n',
    '!!js/function ',
    '!!binary ',
    '!!set ',
    '!!timestamp ',
    '!!merge ',
  ],
  ...[
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '? ',
    ': ',
    '- ',
    '\n',
    '\t',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '|\n',
    '>\n',
    '#',
    '\\x00',
  ],
  ...[
    '__proto__: {polluted: 1}\n',
    'constructor: {prototype: {polluted: 1}}\n',
    'base: tiny\n',
    'arms: {__proto__: {}}\n',
    'a: &a [*a]\n',
    'x: ',
    '.inf',
    '.nan',
    '0o17',
    '1e400',
  ],
];

/** Each anchor holds the one before it many times: a few lines that stand for billions of values. */
const laughs = fc
  .tuple(
    fc.integer({ min: 2, max: 12 }),
    fc.integer({ min: 2, max: 12 }),
    fc.constantFrom('name', 'x', 'attack', 'arms'),
  )
  .map<Mutation>(([levels, width, key]) => (bytes) => {
    const level = (n: number): string =>
      `l${n}: &l${n} [${Array.from({ length: width }, () => (n === 0 ? 'ha' : `*l${n - 1}`)).join(', ')}]\n`;
    const bomb = Array.from({ length: levels }, (_, n) => level(n)).join('');
    return Buffer.concat([Buffer.from(bomb), bytes, Buffer.from(`\n${key}: *l${levels - 1}\n`)]);
  });

/** Paths and values of `--set`, hostile ones too. */
const settings: fc.Arbitrary<Mutation> = fc
  .array(
    fc.tuple(
      fc.array(
        fc.constantFrom(
          'attack',
          'epsilon',
          'steps',
          'arms',
          'lat',
          'model',
          'config',
          '__proto__',
          'constructor',
          'prototype',
          '',
          '0',
          'losses',
          'toward',
        ),
        { minLength: 1, maxLength: 5 },
      ),
      fc.oneof(fc.constantFrom(...HOSTILE), fc.string()),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) => () => Buffer.from(JSON.stringify(all.map(([path, value]) => `${path.join('.')}=${value}`))));

export const recipe: Target = {
  name: 'recipe',
  weight: 3,
  async seeds() {
    const complete = RECIPES['tiny']?.();
    const overlay =
      'base: tiny\nsteps: 3\nattack: {epsilon: 0.5, losses: {toward: 1}}\narms:\n  lat: {}\n  other: &o {seed: 3}\n  third: *o\n';
    const none = Buffer.from('[]');
    return [
      { [YAML]: Buffer.from(overlay), [SETTINGS]: Buffer.from('["attack.epsilon=0.25"]') },
      { [YAML]: Buffer.from(stringify(complete)), [SETTINGS]: none },
      { [YAML]: Buffer.from(JSON.stringify(complete)), [SETTINGS]: none },
    ] satisfies Files[];
  },
  mutations: (file) =>
    file === SETTINGS
      ? settings
      : fc.oneof(
          { weight: 2, arbitrary: byteMutation },
          { weight: 4, arbitrary: jsonMutation },
          { weight: 4, arbitrary: wordMutation(WORDS) },
          { weight: 1, arbitrary: laughs },
        ),
  async run(folder) {
    const set = JSON.parse(await readFile(join(folder, SETTINGS), 'utf8')) as string[];
    await loadRecipe(join(folder, YAML), { set });
  },
};
