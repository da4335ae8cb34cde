/** @file Files of a run out of a shared queue's store: what was committed, and nothing else. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { committedFile, committedFiles } from '../../fleet/committed.js';
import { published } from '../../fleet/publish.js';
import type { Manifest } from '../../fleet/run.js';
import { RECIPE } from '../daemon/helpers.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';
import { eventually, FakeStore, Node } from './helpers.js';

let root = '';
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'latstream-committed-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

/** Of several pieces, one, and none. */
const FILES = {
  large: Buffer.alloc(20_000_000, 'latstream'),
  small: Buffer.from('x'),
  none: Buffer.alloc(0),
};
const listed = Object.entries(FILES)
  .map(([path, content]) => ({ path, bytes: content.length, sha256: digest(content) }))
  .sort((a, b) => (a.path < b.path ? -1 : 1));

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function read(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('what was committed', () => {
  it('is listed and comes as it was, of an older manifest, too', async () => {
    const store = new FakeStore();
    for (const [name, content] of Object.entries(FILES)) await writeFile(join(root, name), content);
    const manifest = await published(store, { id: 'r', batch: '1.0' }, root, undefined);
    const older: Manifest = JSON.parse(JSON.stringify(manifest), (key, value: unknown) =>
      key === 'sha256' && value === listed[0]!.sha256 ? undefined : value,
    ) as Manifest;
    expect(older.files['large']).not.toHaveProperty('sha256');
    for (const each of [manifest, older])
      expect(await committedFiles(store, 'r', each)).toEqual({ files: listed });
    for (const { path, bytes, sha256 } of listed) {
      const file = await committedFile(store, 'r', manifest, path);
      expect([file.bytes, digest(await read(file.content))]).toEqual([bytes, sha256]);
    }
    for (const name of ['nowhere', '../small', '__proto__', 'toString'])
      await expect(committedFile(store, 'r', manifest, name)).rejects.toMatchObject({
        code: 'DAEMON_FILE_UNKNOWN',
      });
    const [first, second] = manifest.files['large']!.pieces;
    store.blobs.set(`runs/r/1.0/${second!.sha256}`, Buffer.from('other bytes'));
    const { content } = await committedFile(store, 'r', manifest, 'large');
    await expect(read(content)).rejects.toMatchObject({ code: 'FLEET_STORE_DAMAGED' });
    store.blobs.delete(`runs/r/1.0/${first!.sha256}`);
    await expect(committedFile(store, 'r', manifest, 'large')).rejects.toMatchObject({
      code: 'FLEET_STORE_DAMAGED',
    });
  });

  it.skipIf(withoutRedis)('can be had of any daemon of the queue', async () => {
    const server = await RedisServer.start();
    const hub = await Node.start(server.url, root, { parallel: 0 });
    const worker = await Node.start(server.url, root);
    try {
      const { id } = await hub.queue.submit({ name: 'x', recipe: RECIPE, priority: 0 });
      expect(await hub.queue.files(id)).toEqual({ files: [] });
      const run = await eventually(() => worker.alive[0]);
      await mkdir(run.run.directory, { recursive: true });
      await writeFile(join(run.run.directory, 'small'), 'x');
      run.end({ kind: 'finish' });
      await eventually(async () => ((await hub.queue.all())[0]?.state === 'done' ? true : undefined));
      expect(await hub.queue.files(id)).toEqual({ files: [listed.find(({ path }) => path === 'small')] });
      expect(String(await read((await hub.queue.file(id, 'small')).content))).toBe('x');
      await expect(hub.queue.file(id, 'x')).rejects.toMatchObject({ code: 'DAEMON_FILE_UNKNOWN' });
      await expect(hub.queue.files('x')).rejects.toMatchObject({ code: 'DAEMON_RUN_UNKNOWN' });
    } finally {
      await worker.stop();
      await hub.stop();
      await server.remove();
    }
  });
});
