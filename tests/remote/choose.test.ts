/** @file Which files of a model are fetched, what is refused, and what is done without a network. */
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchSnapshot, type Remote } from '../../remote/index.js';
import { sha256 } from '../helpers/hub-server.js';
import { bytesOf, contentAsked, fetchModel, FILES, hubAnd, hubWith, watching, WEIGHTS } from './helpers.js';

describe('fetchSnapshot', () => {
  it('fetches the shards that the index names, a single GGUF file, an adapter, and no pickle', async () => {
    const index = JSON.stringify({
      weight_map: { a: 'model-1-of-2.safetensors', b: 'model-2-of-2.safetensors' },
    });
    const shards = { 'model-1-of-2.safetensors': bytesOf(10, 1), 'model-2-of-2.safetensors': bytesOf(10, 2) };
    const sharded = { 'config.json': '{}', 'model.safetensors.index.json': index, ...shards };
    const { hub, remote } = await hubWith({ ...sharded, 'consolidated.safetensors': bytesOf(10, 3) });
    expect((await readdir((await fetchModel('hf:org/name', remote)).path)).sort()).toEqual(
      Object.keys(sharded).sort(),
    );

    hub.repository('models/org/name', { 'x.gguf': bytesOf(10), 'config.json': '{}' });
    hub.commit = 'd'.repeat(40);
    const single = await fetchModel('hf:org/name', remote);
    expect(single.path).toMatch(/d{40}\/x\.gguf$/);
    expect(single.pinned).toBe(`hf:org/name/x.gguf@${hub.commit}`);

    hub.repository('models/org/name', { 'q/x.gguf': bytesOf(10), 'q/y.gguf': bytesOf(11) });
    hub.commit = 'e'.repeat(40);
    expect((await fetchModel('hf:org/name/q/y.gguf@main', remote)).path).toMatch(/q\/y\.gguf$/);
    expect(await readdir(join(remote.cache, 'models--org--name', 'snapshots', hub.commit, 'q'))).toEqual([
      'y.gguf',
    ]);

    hub.repository('models/org/lora', {
      'adapter_config.json': '{}',
      'adapter_model.safetensors': bytesOf(10),
    });
    expect((await readdir((await fetchModel('hf:org/lora', remote, 'adapter')).path)).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
  });

  it.each([
    ['HUB_PICKLE', { 'config.json': '{}', 'pytorch_model.bin': bytesOf(9) }],
    ['HUB_WEIGHTS', { 'a.gguf': bytesOf(9), 'b.gguf': bytesOf(8) }],
    ['HUB_WEIGHTS', { 'README.md': 'nothing' }],
    ['HUB_WEIGHTS', { 'model.safetensors.index.json': '{"weight_map": {"a": "../x.safetensors"}}' }],
    ['HUB_WEIGHTS', { 'model.safetensors.index.json': '[' }],
    ['HUB_PATH', { ...FILES, '../../evil.json': '{}' }],
    ['HUB_PATH', { ...FILES, '..\\evil.json': '{}' }],
  ])('refuses with %s where it should (%#)', async (code, files) => {
    const { remote } = await hubWith(files);
    await expect(fetchModel('hf:org/name', remote)).rejects.toMatchObject({ code });
  });

  it('refuses listings that do not end, answers that are none, and a disk that is too small', async () => {
    const { hub, remote } = await hubWith(FILES);
    const small = (listing: Partial<Remote['listing']>): Remote => ({
      ...remote,
      listing: { ...remote.listing, ...listing },
    });
    for (const most of [{ bytes: 300 }, { entries: 3 }])
      await expect(fetchModel('hf:org/name', small(most))).rejects.toMatchObject({ code: 'HUB_LISTING' });
    const next = { link: `<${hub.origin()}/api/models/org/name/tree/x>; rel="next"` };
    hub.faults.push({ on: /\/tree\//, status: 200, headers: next, body: '[]', times: 30 });
    await expect(fetchModel('hf:org/name', small({ pages: 20 }))).rejects.toMatchObject({
      code: 'HUB_LISTING',
    });
    hub.faults.length = 0;
    for (const body of ['<html>', '{}', '{"sha": "../../x"}', 'null', '[{"type": "file"}]']) {
      hub.faults.push({ on: /\/api\//, status: 200, body });
      await expect(fetchModel('hf:org/name', remote)).rejects.toMatchObject({ code: 'HUB_ANSWER' });
      hub.faults.length = 0;
    }
    const free = (): Promise<number> => Promise.resolve(4999);
    await expect(fetchModel('hf:org/name', { ...remote, free })).rejects.toMatchObject({ code: 'HUB_DISK' });
    expect(contentAsked(hub)).toEqual([]);
  });

  it('uses offline, and where the hub is down, what was downloaded before; what is not here is an error', async () => {
    const { hub, remote } = await hubWith(FILES, { tries: 2 });
    const offline = { ...remote, offline: true };
    await expect(fetchModel('hf:org/name', offline)).rejects.toMatchObject({ code: 'HUB_OFFLINE' });
    const first = await fetchModel('hf:org/name', remote);
    hub.asked.length = 0;
    expect(await fetchModel('hf:org/name', offline)).toEqual(first);
    expect(hub.asked).toEqual([]);
    hub.faults.push({ on: /./, status: 503 });
    const { watcher, seen } = watching();
    expect(await fetchSnapshot('hf:org/name', { use: 'model', watcher }, remote)).toEqual(first);
    expect(seen.notes.join()).toMatch(/using what was downloaded before/);
    await expect(fetchModel('hf:org/name@v2', remote)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
  });

  it('reads offline what another tool left, and fetches what that did not need', async () => {
    const { hub, remote, folder } = await hubWith(FILES);
    const snapshot = join(folder, 'snapshots', hub.commit);
    for (const each of ['blobs', 'refs/pr']) await mkdir(join(folder, each), { recursive: true });
    await mkdir(snapshot, { recursive: true });
    await writeFile(join(folder, 'refs', 'pr', '1'), hub.commit);
    const leave = async (name: string, blob: string, content: string | Uint8Array): Promise<void> => {
      await writeFile(join(folder, 'blobs', blob), content);
      await symlink(`../../blobs/${blob}`, join(snapshot, name));
    };
    await leave('config.json', 'one', FILES['config.json']);
    await leave('model.safetensors', sha256(WEIGHTS), WEIGHTS);
    expect((await fetchModel('hf:org/name@pr/1', { ...remote, offline: true })).path).toBe(snapshot);
    expect(hub.asked).toEqual([]);
    await fetchModel(`hf:org/name@${hub.commit}`, remote);
    expect(contentAsked(hub).sort()).toEqual(['config.json', 'tokenizer.json']);
  });

  it.each([
    'hf:',
    'hf:a/b@',
    'hf:../b',
    'hf:a/b@../x',
    'hf:a/b/../x.gguf',
    'hf:a--b/c',
    'hf:a/b@c@d',
    'hf:a/b\\c',
  ])('refuses the reference %s', async (text) => {
    const { remote } = await hubAnd();
    await expect(fetchModel(text, remote)).rejects.toMatchObject({ code: 'HUB_REFERENCE' });
  });
});
