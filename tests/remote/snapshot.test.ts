/** @file Models of the hub in the shared cache: whole or not at all, resumed, checked. */
import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchSnapshot } from '../../remote/index.js';
import { gitSha1, sha256 } from '../helpers/hub-server.js';
import { bytesOf, contentAsked, fetchModel, FILES, hubWith, watching, WEIGHTS } from './helpers.js';

describe('fetchSnapshot', () => {
  it('fetches the needed files into the layout that the Python tools share', async () => {
    const { hub, remote, folder } = await hubWith(FILES);
    const { watcher, seen } = watching();
    const { path, commit, pinned } = await fetchSnapshot('hf:org/name', { use: 'model', watcher }, remote);
    expect({ path, commit, pinned }).toEqual({
      path: join(folder, 'snapshots', hub.commit),
      commit: hub.commit,
      pinned: `hf:org/name@${hub.commit}`,
    });
    expect((await readdir(path)).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(await readFile(join(folder, 'refs', 'main'), 'utf8')).toBe(hub.commit);
    expect(await readlink(join(path, 'model.safetensors'))).toBe(`../../blobs/${sha256(WEIGHTS)}`);
    expect(await readlink(join(path, 'tokenizer.json'))).toBe(`../../blobs/${gitSha1(Buffer.from('{}'))}`);
    expect(await readFile(join(path, 'model.safetensors'))).toEqual(Buffer.from(WEIGHTS));
    expect(await readdir(join(folder, 'blobs'))).toHaveLength(3);
    const size = 5000 + FILES['config.json'].length + 2;
    expect(seen).toEqual({ total: size, have: size, notes: [] });
  });

  it('asks for names only, where all is here; and nobody, for a commit', async () => {
    const { hub, remote } = await hubWith(FILES);
    const first = await fetchModel('hf:org/name', remote);
    hub.asked.length = 0;
    expect(await fetchModel('hf:org/name', remote)).toEqual(first);
    expect(contentAsked(hub)).toEqual([]);
    hub.asked.length = 0;
    expect(await fetchModel(first.pinned, remote)).toEqual(first);
    expect(hub.asked).toEqual([]);
  });

  it('goes on where a broken connection or a stopped process left off', async () => {
    const { hub, remote, folder } = await hubWith(FILES, { tries: 1 });
    hub.faults.push({ on: /^cdn/, cut: 3000, times: 1 });
    await expect(fetchModel('hf:org/name', remote)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
    const part = join(folder, 'blobs', `${sha256(WEIGHTS)}.incomplete`);
    const had = (await stat(part)).size;
    expect(had).toBeGreaterThan(0);
    expect(had).toBeLessThanOrEqual(3000);
    const { path } = await fetchModel('hf:org/name', remote);
    expect(hub.bytesAsked('/lfs/')).toEqual([5000, 5000 - had]);
    expect(await readFile(join(path, 'model.safetensors'))).toEqual(Buffer.from(WEIGHTS));
    expect((await readdir(join(folder, 'blobs'))).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
  });

  it('stops when told to, and keeps what has arrived', async () => {
    const { hub, remote, folder } = await hubWith(FILES);
    hub.faults.push({ on: /^cdn/, cut: 3000 });
    const stop = new AbortController();
    const sleep = async (): Promise<void> => stop.abort(new Error('enough'));
    await expect(fetchModel('hf:org/name', { ...remote, sleep }, 'model', stop.signal)).rejects.toThrow(
      'enough',
    );
    expect((await stat(join(folder, 'blobs', `${sha256(WEIGHTS)}.incomplete`))).size).toBeGreaterThan(0);
  });

  it('throws a damaged part away and fetches it again, once; what comes wrong is an error and not kept', async () => {
    const { hub, remote, folder } = await hubWith(FILES);
    await mkdir(join(folder, 'blobs'), { recursive: true });
    const part = join(folder, 'blobs', `${sha256(WEIGHTS)}.incomplete`);
    await writeFile(part, bytesOf(1000, 9));
    const { path } = await fetchModel('hf:org/name', remote);
    expect(hub.bytesAsked('/lfs/')).toEqual([4000, 5000]);
    expect(await readFile(join(path, 'model.safetensors'))).toEqual(Buffer.from(WEIGHTS));

    const other = await hubWith({ ...FILES, 'model.safetensors': bytesOf(4000) });
    const range = { 'content-range': 'bytes 0-3999/4000' };
    other.hub.faults.push({ on: /^cdn/, status: 206, headers: range, body: 'x'.repeat(4000) });
    await expect(fetchModel('hf:org/name', other.remote)).rejects.toMatchObject({ code: 'HUB_DIGEST' });
    expect((await readdir(join(other.folder, 'blobs'))).filter((name) => name.length > 40)).toEqual([]);
  });

  it('goes on with a server that sends no ranges', async () => {
    const { hub, remote } = await hubWith(FILES);
    hub.ranges = false;
    hub.faults.push({ on: /^cdn/, cut: 3000, times: 1 });
    const { path } = await fetchModel('hf:org/name', remote);
    expect(await readFile(join(path, 'model.safetensors'))).toEqual(Buffer.from(WEIGHTS));
  });

  it('sends a token to the hub, and to no other host', async () => {
    const { hub, remote } = await hubWith(FILES, { token: 'secret' });
    await fetchModel('hf:org/name', remote);
    expect(new Set(hub.asked.map(({ host, authorization }) => `${host} ${authorization ?? 'none'}`))).toEqual(
      new Set(['hub Bearer secret', 'cdn none']),
    );
  });

  it('takes from two at a time one download', async () => {
    const { hub, remote } = await hubWith(FILES, { sleep: () => new Promise((done) => setTimeout(done, 5)) });
    const [one, two] = await Promise.all([
      fetchModel('hf:org/name', remote),
      fetchModel('hf:org/name', remote),
    ]);
    expect(one).toEqual(two);
    expect(hub.bytesAsked('/lfs/')).toEqual([5000]);
  });
});
