/** @file The queue on disk: what was acknowledged survives kill -9, torn writes and other versions. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../daemon/migrations.js';
import { Store } from '../../daemon/store.js';
import { scratch } from '../helpers/cli.js';
import { RECIPE } from './helpers.js';

const { path } = scratch();

const run = (id: string) => ({ id, name: 'x', recipe: RECIPE, directory: `/${id}`, priority: 0 });

/** Lets a process write until it has acknowledged `most` runs, then kills it wherever it is. */
async function killedWriter(file: string, most: number): Promise<string[]> {
  const writer = join(process.cwd(), 'dist', 'tests', 'daemon', 'writer.js');
  const child = spawn(process.execPath, [writer, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.split('\n').length > most) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [unknown, string];
  expect(signal).toBe('SIGKILL');
  return said.split('\n').slice(0, -1);
}

describe('the store', () => {
  it('has everything that was acknowledged after ten kills of its writer', async () => {
    const file = path('killed.db');
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 10; kill++) acknowledged.push(...(await killedWriter(file, 3 + kill)));
    const store = new Store(file);
    const ids = store.all().map(({ id }) => id);
    store.close();
    expect(acknowledged.length).toBeGreaterThanOrEqual(70);
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    // What was written but not acknowledged may be there; nothing is there twice or with a gap.
    expect(ids).toEqual(ids.map((_, at) => `r${at}`));
  });

  it('opens with a torn end of its log, without what was being written', async () => {
    const file = path('torn.db');
    const store = new Store(file);
    for (const id of ['a', 'b', 'c']) store.submit(run(id), 1);
    // As the machine would leave it: the files of an open database, the log's end not whole.
    await copyFile(file, path('copy.db'));
    const log = await readFile(`${file}-wal`);
    await writeFile(path('copy.db-wal'), log.subarray(0, log.length - 100));
    store.close();
    await appendFile(path('copy.db-wal'), 'x'.repeat(5000));
    const copy = new Store(path('copy.db'));
    expect(copy.all().map(({ id }) => id)).toEqual(['a', 'b']);
    copy.submit(run('d'), 2);
    copy.close();
    const again = new Store(path('copy.db'));
    expect(again.all().map(({ id }) => id)).toEqual(['a', 'b', 'd']);
    again.close();
  });

  it('is left alone where a newer version wrote it', () => {
    const file = path('future.db');
    const store = new Store(file);
    store.submit(run('a'), 1);
    store.close();
    const database = new Database(file);
    database.pragma('user_version = 99');
    database.close();
    expect(() => new Store(file)).toThrow(expect.objectContaining({ code: 'DAEMON_STATE_VERSION' }));
    const again = new Database(file);
    expect(again.prepare('PRAGMA user_version').all()).toEqual([{ user_version: 99 }]);
    expect(again.prepare('SELECT id FROM runs').all()).toEqual([{ id: 'a' }]);
    again.close();
  });

  it('takes over what an older version wrote', () => {
    const file = path('older.db');
    const database = new Database(file);
    database.exec(MIGRATIONS.slice(0, 2).join('\n'));
    database.pragma('user_version = 2');
    database.exec(`INSERT INTO runs (id, name, recipe, directory, priority, state, created)
      VALUES ('a', 'x', '{}', '/a', 0, 'done', 1), ('b', 'x', '{}', '/b', 0, 'queued', 2)`);
    database.close();
    const store = new Store(file);
    expect(store.all().map(({ id, labels }) => [id, labels])).toEqual([
      ['a', '{}'],
      ['b', '{}'],
    ]);
    store.close();
  });

  it('says so where the file is none of its own, or cannot be made', async () => {
    const file = path('text.db');
    await writeFile(file, 'no database, but long enough to be looked at as one. '.repeat(40));
    expect(() => new Store(file)).toThrow(expect.objectContaining({ code: 'DAEMON_STATE_DAMAGED' }));
    const missing = path('missing/x.db');
    expect(() => new Store(missing)).toThrow(expect.objectContaining({ code: 'DAEMON_STATE_WRITE' }));
  });

  it('keeps what it refuses from changing anything', () => {
    const store = new Store(path('refused.db'));
    store.submit(run('a'), 1);
    const before = store.all();
    expect(() => store.submit(run('a'), 2)).toThrow();
    expect(() => store.happen('a', 'finish', { now: 2, most: 3 })).toThrow(
      expect.objectContaining({ code: 'DAEMON_RUN_STATE' }),
    );
    expect(() => store.find('b')).toThrow(expect.objectContaining({ code: 'DAEMON_RUN_UNKNOWN' }));
    expect(store.all()).toEqual(before);
    store.close();
  });
});
