/** @file Files of JSON lines, JSON lists, CSV, TSV and plain text. */
import fc from 'fast-check';
import { byteMutation, wordMutation } from '../bytes.js';
import { jsonMutation } from '../json.js';
import type { Mutation, Target } from '../target.js';
import { readSource } from './rows.js';

const rows = [
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

const WORDS = [
  '\n',
  '\r\n',
  '\r',
  '[',
  ']',
  '{"a":',
  '"',
  '""',
  ',',
  '\t',
  '\\',
  '\\u0000',
  '{"a":1}\n',
  ' ',
  '\ufeff',
];

export const records: Target = {
  name: 'records',
  weight: 4,
  async seeds() {
    const table = 'prompt,chosen,prompt2\n"How?","No, ""never""",1\nWhy,"two\nlines",\n';
    const files = {
      'x.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
      'x.json': JSON.stringify(rows, null, 1),
      'x.csv': table,
      'x.tsv': table.replaceAll(',', '\t'),
      'x.txt': 'one line\n\nanother\r\nthe last',
    };
    return Object.entries(files).map(([name, text]) => ({ [name]: Buffer.from(text) }));
  },
  mutations: (file) => {
    const words = wordMutation(WORDS);
    if (file === 'x.jsonl') return fc.oneof(byteMutation, lineMutation, words);
    return file === 'x.json' ? fc.oneof(byteMutation, jsonMutation, words) : fc.oneof(byteMutation, words);
  },
  run: (folder, files) => readSource(folder, Object.keys(files)[0] ?? ''),
};
