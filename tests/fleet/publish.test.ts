/** @file A run's directory in a store and back: whole, checked, and never more of it kept than somebody may need. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IDENTITY } from '../../fleet/blobs.js';
import { fileStore } from '../../fleet/file-store.js';
import { materialize, published, removeLeftovers, removeUnnamed } from '../../fleet/publish.js';
import type { Manifest } from '../../fleet/run.js';
import { snapshot } from '../../fleet/snapshot.js';
import { FakeStore } from './helpers.js';

let root = '';
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'latstream-publish-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, `${name}.tmp`), text);
    await rename(join(directory, `${name}.tmp`), join(directory, name));
  }
  return directory;
}

async function read(directory: string): Promise<Record<string, string>> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((path) => readFile(path, 'utf8')));
  return Object.fromEntries(files.map((path, at) => [path.slice(directory.length + 1), texts[at] ?? '']));
}

const FILES = {
  'recipe.json': '{}',
  'metrics.ndjson': 'a\n',
  'lat/checkpoints/step-000002/state.safetensors': 'weights',
  'lat/checkpoints/step-000002/checkpoint.json': '{}',
};

describe('publishing', () => {
  it('gives back what was there, without locks and what is being written', async () => {
    const store = new FakeStore();
    const run = await write(join(root, 'run'), { ...FILES, empty: '' });
    await write(run, { 'run.lock': '1', 'lat/checkpoints/.step-000004.writing/state.safetensors': 'half' });
    await writeFile(join(run, 'metrics.ndjson.new'), 'half');
    const manifest = await published(store, { id: 'r', batch: '1.1' }, run, undefined);
    await materialize(store, 'r', manifest, join(root, 'back'));
    expect(await read(join(root, 'back'))).toEqual({ ...FILES, empty: '' });
    expect(await readdir(root)).toEqual(['back', 'run']);
  });

  it('writes again only what has changed, and removes what no commit names', async () => {
    const store = new FakeStore();
    const run = await write(join(root, 'run'), FILES);
    const first = await published(store, { id: 'r', batch: '1.2' }, run, undefined);
    const puts = store.puts;
    await write(run, { 'metrics.ndjson': 'a\nb\n' });
    const second = await published(store, { id: 'r', batch: '1.3' }, run, first);
    expect(store.puts).toBe(puts + 1);
    await removeUnnamed(store, 'r', first, second);
    await materialize(store, 'r', second, join(root, 'back'));
    expect((await read(join(root, 'back')))['metrics.ndjson']).toBe('a\nb\n');
    await expect(materialize(store, 'r', first, join(root, 'old'))).rejects.toMatchObject({
      code: 'FLEET_STORE_DAMAGED',
    });
  });

  it('refuses bytes that are not those that were committed', async () => {
    const store = new FakeStore();
    const manifest = await published(
      store,
      { id: 'r', batch: '1.4' },
      await write(join(root, 'run'), FILES),
      undefined,
    );
    for (const name of store.blobs.keys()) store.blobs.set(name, Buffer.from('other'));
    await expect(materialize(store, 'r', manifest, join(root, 'back'))).rejects.toMatchObject({
      code: 'FLEET_STORE_DAMAGED',
    });
  });

  it('refuses names that lead out of the directory', async () => {
    const manifest: Manifest = { files: { '../x': { bytes: 0, pieces: [] } } };
    await expect(materialize(new FakeStore(), 'r', manifest, join(root, 'back'))).rejects.toThrow('../x');
  });

  it('removes nothing that the newest commit names, whoever removes what when', async () => {
    // Two workers, the first of which goes on after the second has taken the run; contents come back, too.
    const act = fc.record({ late: fc.boolean(), text: fc.constantFrom('a', 'b', 'c') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 1, maxLength: 12 }),
        fc.nat({ max: 6 }),
        async (acts, taken) => {
          const base = await mkdtemp(join(root, 'case-'));
          const store = new FakeStore();
          const runs = [join(base, '1'), join(base, '2')];
          const known: (Manifest | undefined)[] = [undefined, undefined];
          let committed: Manifest | undefined;
          let wake: (() => Promise<void>)[] = [];
          for (const [at, { late, text }] of acts.entries()) {
            if (at === taken) {
              known[1] = committed;
              await removeLeftovers(store, 'r', 2, committed);
            }
            const worker = at < taken ? 0 : late ? 0 : 1;
            const before = known[worker];
            const now = await published(
              store,
              { id: 'r', batch: `${worker + 1}.${at}` },
              await write(runs[worker]!, { file: text }),
              before,
            );
            if (at >= taken && worker === 0) continue; // its commit is refused
            committed = known[worker] = now;
            // Removing may come much later.
            wake.push(() => removeUnnamed(store, 'r', before, now));
            if (text !== 'c') {
              for (const each of wake) await each();
              wake = [];
            }
          }
          for (const each of wake) await each();
          if (committed) await materialize(store, 'r', committed, join(base, 'back'));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a snapshot', () => {
  it('has checkpoints whole or not at all, and always one, while a process writes and removes them', async () => {
    const run = await write(join(root, 'run'), FILES);
    const writer = { over: false };
    const writing = (async () => {
      for (let step = 4; !writer.over; step += 2) {
        const name = (at: number): string =>
          join(run, 'lat/checkpoints', `step-${String(at).padStart(6, '0')}`);
        const next = join(run, `lat/checkpoints/.writing-${step}`);
        await write(next, { 'state.safetensors': `weights ${step}`, 'checkpoint.json': `${step}` });
        await rename(next, name(step));
        const aside = join(run, `lat/checkpoints/.removing-${step}`);
        await rename(name(step - 2), aside);
        await rm(aside, { recursive: true });
        await pause(3);
      }
    })();
    try {
      for (let look = 0; look < 50; look++) {
        const files = await snapshot(run, join(root, 'view'));
        const steps = files
          .map(({ name }) => /(step-\d+)\//.exec(name)?.[1])
          .filter((step) => step !== undefined);
        expect(steps.length).toBeGreaterThan(0);
        for (const step of steps) expect(steps.filter((each) => each === step)).toHaveLength(2);
      }
    } finally {
      writer.over = true;
      await writing;
    }
  });
});

describe('a store in a folder', () => {
  it('keeps, lists and removes, and has nothing to tell of what is not there', async () => {
    const store = fileStore(join(root, 'store'));
    expect(await store.get('runs/a/1/x')).toBeUndefined();
    expect(await store.list('runs/a/')).toEqual([]);
    await store.put('runs/a/1/x', Buffer.from('1'));
    await store.put('runs/ab/1/y', Buffer.from('2'));
    expect(await store.list('runs/a/')).toEqual(['runs/a/1/x']);
    expect(Buffer.from((await store.get('runs/a/1/x'))!).toString()).toBe('1');
    await store.remove(['runs/a/1/x', 'runs/a/1/never']);
    expect(await store.list('runs/')).toEqual(['runs/ab/1/y']);
  });

  it('that has an identity is not made anew where its folder is gone, and has lost nothing when it is back', async () => {
    const [place, away] = [join(root, 'mounted'), join(root, 'away')];
    const store = fileStore(place);
    await store.put(IDENTITY, Buffer.from('one'));
    await store.put('runs/a/1/x', Buffer.from('1'));
    await rename(place, away);
    const gone = async (): Promise<void> => {
      const refused = { code: 'FLEET_STORE' };
      await expect(store.put('runs/a/1/y', Buffer.from('2'))).rejects.toMatchObject(refused);
      await expect(store.get('runs/a/1/x')).rejects.toMatchObject(refused);
      await expect(store.list('runs/')).rejects.toMatchObject(refused);
      await expect(store.remove(['runs/a/1/x'])).rejects.toMatchObject(refused);
    };
    await gone();
    expect(existsSync(place)).toBe(false);
    await fileStore(place).put(IDENTITY, Buffer.from('another'));
    await gone();
    await rm(place, { recursive: true });
    await rename(away, place);
    expect(Buffer.from((await store.get('runs/a/1/x'))!).toString()).toBe('1');
    await store.put('runs/a/1/y', Buffer.from('2'));
    expect([...(await store.list('runs/'))].sort()).toEqual(['runs/a/1/x', 'runs/a/1/y']);
  });

  it('says where it cannot be written', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(fileStore(join(root, 'file')).put('x/y', Buffer.from('1'))).rejects.toMatchObject({
      code: 'FLEET_STORE',
    });
  });
});
