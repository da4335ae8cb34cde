/** @file Damage to JSON documents that stay JSON: impossible numbers, prototype keys, depths, other types. */
import fc from 'fast-check';
import type { Mutation } from './target.js';

const nested = (depth: number, open: string, close: string): string =>
  `${open.repeat(depth)}0${close.repeat(depth)}`;

/** Values as JSON text; some have no equal in JavaScript. */
export const HOSTILE: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1', '2', '3', '0.5', '1e-400', '65536', '2147483648'],
  ...[
    '4294967295',
    '4294967296',
    '1e9',
    '1e15',
    '9007199254740993',
    '-9223372036854775808',
    '1e308',
    '1e400',
  ],
  ...[
    '""',
    '" "',
    '"__proto__"',
    '"constructor"',
    '"../../etc/passwd"',
    '"/dev/zero"',
    '"."',
    '"\\ud800"',
    '"\\u0000"',
  ],
  ...[
    '[]',
    '{}',
    '[[]]',
    '[null]',
    '{"":0}',
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
  ],
  ...[
    '"F64"',
    '"I64"',
    '"((a+)+)+$"',
    '[0,0]',
    '[1e15,1e15]',
    '{"toString":1,"hasOwnProperty":2,"length":-1}',
  ],
  ...[nested(200, '[', ']'), nested(20_000, '[', ']'), nested(5000, '{"a":', '}')],
  JSON.stringify('x'.repeat(50_000)),
  `[${'0,'.repeat(50_000)}0]`,
];
const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'length',
  '0',
  'type',
  '\u0000',
];

type Path = readonly (string | number)[];

/** JSON with one node changed; bytes that are no JSON stay as they are. */
export const jsonMutation: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.nat(),
    fc.constantFrom<Change>('replace', 'replace', 'replace', 'replace', 'remove', 'rename', 'copy', 'wrap'),
    fc.constantFrom(...HOSTILE),
    fc.constantFrom(...KEYS),
    fc.nat(),
  )
  .map(([which, change, hostile, key, from]) => (bytes) => {
    try {
      const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
      const paths = pathsOf(json);
      const path = paths[which % paths.length] as Path;
      const copied = JSON.stringify(valueAt(json, paths[from % paths.length] as Path));
      return Buffer.from(written(json, path, { change, key, text: change === 'copy' ? copied : hostile }));
    } catch {
      return bytes; // No JSON, or too deep after an earlier mutation.
    }
  });

type Change = 'replace' | 'remove' | 'rename' | 'copy' | 'wrap';

interface Edit {
  readonly change: Change;
  readonly key: string;
  readonly text: string;
}

/** The first few hundred paths: a huge value takes one place, not all of them. */
function pathsOf(root: unknown): Path[] {
  const paths: Path[] = [[]];
  for (let at = 0; at < paths.length && paths.length < 400; at++) {
    const path = paths[at] as Path;
    const node = valueAt(root, path);
    if (typeof node === 'object' && node !== null)
      paths.push(
        ...Object.keys(node)
          .slice(0, 60)
          .map((key) => [...path, key]),
      );
  }
  return paths;
}

function valueAt(node: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], node);
}

/** The document as text, so that what is put in need not have an equal in JavaScript. */
function written(node: unknown, path: Path, edit: Edit): string {
  const [head, ...rest] = path;
  if (head === undefined) {
    if (edit.change === 'wrap') return `[${JSON.stringify(node)}]`;
    return edit.change === 'replace' || edit.change === 'copy' ? edit.text : JSON.stringify(node);
  }
  const isList = Array.isArray(node);
  const parts = Object.entries(node as object).flatMap(([key, child]: [string, unknown]) => {
    const chosen = key === head;
    if (chosen && rest.length === 0 && edit.change === 'remove') return [];
    const name = chosen && rest.length === 0 && edit.change === 'rename' ? edit.key : key;
    const value = chosen ? written(child, rest, edit) : JSON.stringify(child);
    return [isList ? value : `${JSON.stringify(name)}:${value}`];
  });
  return isList ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}
