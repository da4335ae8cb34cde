/** @file Files of JSON lines. */
import fc from 'fast-check';
import { byteMutation, wordMutation } from '../bytes.js';
import { jsonMutation } from '../json.js';
import type { Mutation, Target } from '../target.js';
import { readSource } from './rows.js';

const FILE = 'x.jsonl';

const lines = [
  { prompt: 'How?', chosen: 'No.', rejected: 'Sure' },
  { prompt: 'Why?', chosen: null, rejected: 'é ü 猫' },
  { messages: [{ role: 'user', content: 'Hi' }], count: 1, nested: { a: [1, 2] } },
];

const lineMutation: fc.Arbitrary<Mutation> = fc
  .tuple(fc.nat(), jsonMutation)
  .map(([which, mutate]) => (bytes, other) => {
    const all = Buffer.from(bytes).toString('utf8').split('\n');
    const at = which % all.length;
    const changed = Buffer.from(mutate(Buffer.from(all[at] ?? ''), other)).toString('utf8');
    return Buffer.from(all.with(at, changed).join('\n'));
  });

export const jsonl: Target = {
  name: 'jsonl',
  weight: 2,
  async seeds() {
    return [{ [FILE]: Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')) }];
  },
  mutations: () =>
    fc.oneof(
      byteMutation,
      lineMutation,
      wordMutation(['\n', '\r\n', '[', '{"a":', '"', '\\u0000', '{"a":1}\n', ' ']),
    ),
  run: (folder) => readSource(folder, FILE),
};
