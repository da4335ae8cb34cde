/** @file Proves the import order: layers, faces (`index.ts`), confined packages, no cycles. Reads the tree it is in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cycles,
  folderOf,
  LAYERS,
  loadedWith,
  pastTheIndex,
  strayPackages,
  upward,
} from './helpers/layers.js';
import { importsOf, readImports, sourceFiles, type Import } from './helpers/modules.js';

const root = process.cwd();
const imports = readImports(root);

describe('the tree', () => {
  it('has only folders with a place in the order', () => {
    const folders = new Set(sourceFiles(root).map(folderOf));
    expect([...folders].filter((folder) => !(folder in LAYERS))).toEqual([]);
  });

  it('imports downward only', () => {
    expect(upward(imports)).toEqual([]);
  });

  it("enters a folder through that folder's index.ts only", () => {
    expect(pastTheIndex(imports)).toEqual([]);
  });

  it('keeps most in streams, runtimes in engine, fast-check in testing, Arrow and Parquet in datasets and monitor/record', () => {
    expect(strayPackages(imports)).toEqual([]);
  });

  it('has no import cycle, of types neither', () => {
    expect(cycles(imports)).toEqual([]);
  });

  it.each(['index', 'train', 'daemon', 'queue', 'watch', 'sweep/sweep', 'report', 'metrics'])(
    'loads neither a runtime nor readers of tables with commands/%s, which serves and shows',
    (command) => {
      const heavy = /^(@tensorflow\/.*|onnx.*|apache-arrow|hyparquet|bullmq|ioredis|@aws-sdk\/.*)$/;
      const loaded = [...loadedWith(`commands/${command}.ts`, imports)];
      expect(loaded).not.toEqual([]);
      expect(loaded.filter((name) => heavy.test(name))).toEqual([]);
    },
  );

  it('imports only files that exist', () => {
    const files = new Set(sourceFiles(root));
    const missing = imports.filter((each) => each.ours && each.to.endsWith('.ts') && !files.has(each.to));
    expect(missing.map((each) => `${each.from} -> ${each.to}`)).toEqual([]);
  });
});

const edge = (from: string, to: string, typeOnly = false, ours = true): Import => ({
  from,
  to,
  ours,
  typeOnly,
});
const folders = Object.keys(LAYERS).filter((folder) => !['.', 'tests', 'bench', 'commands'].includes(folder));

describe('the rules', () => {
  it('whichever of two folders may import the other, the other may not import it', () => {
    const folder = fc.constantFrom(...folders);
    const face = (name: string) => `${name}/index.ts`;
    fc.assert(
      fc.property(folder, folder, (a, b) => {
        fc.pre(a !== b);
        const there = upward([edge(`${a}/x.ts`, face(b))]).length === 0;
        const back = upward([edge(`${b}/x.ts`, face(a))]).length === 0;
        return !(there && back);
      }),
    );
  });

  it('a ring of files is a cycle, and without one of its imports it is none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), (size) => {
        const ring = Array.from({ length: size }, (_, at) => edge(`f${at}.ts`, `f${(at + 1) % size}.ts`));
        return cycles(ring).length > 0 && cycles(ring.slice(1)).length === 0;
      }),
    );
  });

  it.each([
    [edge('engine/x.ts', 'operators/index.ts', true)],
    [edge('streams/x.ts', 'engine/index.ts')],
    [edge('foundation/x.ts', 'formats/index.ts')],
    [edge('recipes/x.ts', 'operators/index.ts')],
    [edge('operators/x.ts', 'tests/setup.ts')],
    [edge('utils/x.ts', 'foundation/index.ts')],
    [edge('commands/x.ts', 'testing/index.ts')],
    [edge('index.ts', 'testing/index.ts')],
  ])('refuses %o as upward', (bad) => expect(upward([bad])).toHaveLength(1));

  it('lets recipes use types of operators', () => {
    expect(upward([edge('recipes/x.ts', 'operators/index.ts', true)])).toEqual([]);
  });

  it('refuses a file behind an index.ts, and a folder that imports its own', () => {
    expect(pastTheIndex([edge('operators/x.ts', 'engine/trace.ts')])).toHaveLength(1);
    expect(pastTheIndex([edge('engine/x.ts', 'engine/index.ts')])).toHaveLength(1);
  });

  it.each([
    ['most', 'operators/run.ts'],
    ['@tensorflow/tfjs', 'operators/losses.ts'],
    ['onnxruntime-node', 'cli.ts'],
    ['hyparquet', 'monitor/server.ts'],
    ['fast-check', 'operators/run.ts'],
  ])('refuses %s in %s', (name, from) => {
    expect(strayPackages([edge(from, name, false, false)])).toHaveLength(1);
  });

  it('sees static, re-exported, dynamic, required and type-only imports', () => {
    const text = `
      import { a } from './a.js'; import type { B } from '../streams/index.js'; export * from './c.js';
      import { type D } from './d.js'; const e = await import('most'); type F = import('./f.js').F;
      const g = require('@tensorflow/tfjs/dist/x');`;
    const seen = importsOf('engine/x.ts', text).map((each) => `${each.to}${each.typeOnly ? ' type' : ''}`);
    expect(seen).toEqual([
      'engine/a.ts',
      'streams/index.ts type',
      'engine/c.ts',
      'engine/d.ts type',
      'most',
      'engine/f.ts type',
      '@tensorflow/tfjs',
    ]);
  });
});
