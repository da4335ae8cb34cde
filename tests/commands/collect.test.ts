/** @file Collecting a run: what arrives is whole, whatever breaks off; nothing is written beside the directory, or over what people changed. Needs `npm run build`. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gather, type Source, type Watcher } from '../../commands/gather.js';
import { LatstreamError } from '../../foundation/index.js';
import { Served } from '../daemon/served.js';
import { cli, scratch } from '../helpers/cli.js';

const { path } = scratch();
const watcher: Watcher = { begin: () => undefined, arrived: () => undefined };
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const error = (code: string): LatstreamError =>
  new LatstreamError({ code, owner: '', expected: '', got: '', hint: '' });

type Files = Readonly<Record<string, string>>;

/** Files that can be had, byte by byte. */
class Shelf implements Source {
  opened: string[] = [];
  /** Bytes after which it breaks off, once. */
  patience = Infinity;
  how: Error = error('DAEMON_UNREACHABLE');

  constructor(public files: Files) {}

  async list() {
    return Object.entries(this.files).map(([name, text]) => ({
      ...{ path: name, bytes: Buffer.byteLength(text), sha256: digest(text) },
    }));
  }

  async open(name: string): Promise<AsyncIterable<Uint8Array>> {
    this.opened.push(name);
    const text = this.files[name];
    if (text === undefined) throw error('DAEMON_FILE_UNKNOWN');
    return this.#bytes(Buffer.from(text));
  }

  async *#bytes(all: Buffer): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < all.length; at++) {
      if (this.patience-- <= 0) throw this.how;
      yield all.subarray(at, at + 1);
    }
  }
}

async function read(directory: string): Promise<Files> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const all = files.map((file, at) => [file.slice(directory.length + 1), texts[at]!] as const);
  return Object.fromEntries(all.filter(([name]) => name !== '.collected.json'));
}

let fresh = 0;
async function directory(): Promise<string> {
  const made = path(`into-${fresh++}`);
  await mkdir(made);
  return made;
}

const FILES: Files = {
  'recipe.json': '{}',
  'lat/evaluation.json': '{"n":1}',
  'lat/adapter/a.bin': 'weights',
  empty: '',
};

describe('gathering', () => {
  it('leaves nothing half wherever it breaks off, and goes on with what is missing', async () => {
    const total = Object.values(FILES).join('').length;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: total - 1 }), async (patience) => {
        const into = await directory();
        const shelf = new Shelf(FILES);
        [shelf.patience, shelf.how] = [patience, new Error('the cable')];
        await expect(gather(shelf, into, 'r', watcher)).rejects.toThrow('the cable');
        const there = await read(into);
        expect(FILES).toMatchObject(there);
        if ('lat/evaluation.json' in there) expect(there).toEqual(FILES);
        shelf.patience = Infinity;
        shelf.opened = [];
        const count = await gather(shelf, into, 'r', watcher);
        expect(await read(into)).toEqual(FILES);
        expect(shelf.opened.sort()).toEqual(
          Object.keys(FILES)
            .filter((name) => !(name in there))
            .sort(),
        );
        expect(count).toEqual({ files: 4, bytes: total, fetched: shelf.opened.length });
        expect((await gather(shelf, into, 'r', watcher)).fetched).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('asks again for what goes, grows or is another meanwhile, and gives up where that never ends', async () => {
    const shelf = new Shelf({ ...FILES, old: 'x', grown: 'one' });
    const open = shelf.open.bind(shelf);
    shelf.open = async (name) => {
      const { old: _, ...rest } = shelf.files;
      shelf.files = { ...rest, grown: 'one and two', empty: 'not any more' };
      return open(name);
    };
    const into = await directory();
    await gather(shelf, into, 'r', watcher);
    expect(await read(into)).toEqual({ ...FILES, grown: 'one and two', empty: 'not any more' });
    // A checkpoint that went before all of it was here leaves nothing; one that was here whole stays.
    const [first, second] = ['lat/checkpoints/step-2', 'lat/checkpoints/step-4'];
    shelf.files = { [`${first}/a`]: 'a', [`${first}/b`]: 'b' };
    shelf.open = open;
    await gather(shelf, into, 'r', watcher);
    shelf.files = { [`${second}/a`]: 'a', [`${second}/b`]: 'b' };
    shelf.open = async (name) => {
      if (name === `${second}/b`) shelf.files = FILES;
      return open(name);
    };
    await gather(shelf, into, 'r', watcher);
    expect(await readdir(join(into, 'lat/checkpoints'))).toEqual(['step-2']);
    expect(await readdir(join(into, first))).toEqual(['a', 'b']);
    let times = 0;
    shelf.open = async (name) => {
      shelf.files = { ...shelf.files, 'recipe.json': String(times++) };
      return open(name);
    };
    shelf.files = { ...shelf.files, 'recipe.json': 'x' };
    await expect(gather(shelf, into, 'r', watcher)).rejects.toMatchObject({ code: 'COLLECT_UNSETTLED' });
    expect(times).toBe(5);
  });

  it.each([
    ...['../x', '/x', 'a/../../x', '', '.', 'a//b', 'a/', 'a\\b', 'a\0', '.collected.json', 'run.lock'],
    ...['.collecting/file', 'a/.b', 'x.tmp'],
  ])('writes nothing where a file is called %j', async (name) => {
    const into = await directory();
    const shelf = new Shelf({ ...FILES, [name]: 'x' });
    await expect(gather(shelf, into, 'r', watcher)).rejects.toMatchObject({ code: 'COLLECT_NAME' });
    expect(await readdir(into)).toEqual([]);
  });

  it('goes through no link, and writes over nothing that is not its own', async () => {
    const [into, outside] = [await directory(), await directory()];
    await gather(new Shelf({ 'recipe.json': '{}' }), into, 'r', watcher);
    await symlink(outside, join(into, 'lat'));
    const shelf = new Shelf(FILES);
    await expect(gather(shelf, into, 'r', watcher)).rejects.toMatchObject({ code: 'COLLECT_PLACE' });
    await rm(join(into, 'lat'));
    await writeFile(join(outside, 'precious'), 'precious');
    await symlink(join(outside, 'precious'), join(into, 'empty'));
    await expect(gather(shelf, into, 'r', watcher)).rejects.toMatchObject({ code: 'COLLECT_PLACE' });
    expect(await read(outside)).toEqual({ precious: 'precious' });
    await expect(gather(shelf, outside, 'r', watcher)).rejects.toMatchObject({ code: 'RUN_NOT_EMPTY' });
    await rm(join(into, 'empty'));
    await gather(shelf, into, 'r', watcher);
    await expect(gather(shelf, into, 'another', watcher)).rejects.toMatchObject({ code: 'RUN_NOT_EMPTY' });
    shelf.files = { ...FILES, 'recipe.json': '{"new":1}' };
    await gather(shelf, into, 'r', watcher);
    await writeFile(join(into, 'recipe.json'), 'my own');
    shelf.files = FILES;
    await expect(gather(shelf, into, 'r', watcher)).rejects.toMatchObject({ code: 'COLLECT_CHANGED' });
    expect(await readFile(join(into, 'recipe.json'), 'utf8')).toBe('my own');
  });
});

describe('latstream collect', () => {
  it('brings a run of a daemon, once', { timeout: 60_000 }, async () => {
    const served = await Served.start();
    try {
      const { id, directory: from } = served.submit('x');
      for (const [name, text] of Object.entries(FILES)) {
        await mkdir(join(from, name, '..'), { recursive: true });
        await writeFile(join(from, name), text);
      }
      await writeFile(path('token'), served.token);
      await writeFile(path('view'), served.viewToken);
      const collect = (...rest: readonly string[]) =>
        cli(['collect', id, path('came'), '--daemon', served.url, '--token-file', path('token'), ...rest]);
      const first = await collect();
      expect(first.stderr).toBe('');
      expect(first.stdout).toContain('5 files, 16 bytes, 5 of them fetched');
      expect(await read(path('came'))).toEqual({ ...FILES, 'metrics.ndjson': '' });
      expect(JSON.parse((await collect('--json')).stdout)).toEqual({
        ...{ run: id, directory: path('came'), files: 5, bytes: 16, fetched: 0 },
      });
      const viewer = await collect('--token-file', path('view'));
      expect([viewer.code, viewer.stderr]).toEqual([2, expect.stringContaining('DAEMON_ROLE')]);
      const unknown = await cli(['collect', 'nobody', '--daemon', served.url, '--token-file', path('token')]);
      expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('DAEMON_RUN_UNKNOWN')]);
    } finally {
      await served.close();
    }
  });
});
