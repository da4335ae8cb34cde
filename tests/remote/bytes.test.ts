/** @file Laws of bytes behind an address: the file's and no others, in few requests, through broken connections. */
import fc from 'fast-check';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBytes, type Remote } from '../../remote/index.js';
import { sha256 } from '../helpers/hub-server.js';
import { bytesOf, hubAnd } from './helpers.js';

const small: Remote['blocks'] = { size: 64, kept: 512, request: 256, ahead: 128 };

describe('openBytes of an address', () => {
  it('gives any ranges of the file, many at a time, whatever the sizes of blocks', async () => {
    const content = bytesOf(1500);
    const { hub, remote } = await hubAnd();
    hub.plain.set('/x.bin', { content });
    const address = `${hub.origin('cdn')}/x.bin`;
    const ranges = fc.array(fc.tuple(fc.nat(1500), fc.nat(1500)), { minLength: 1, maxLength: 6 });
    const sizes = fc.record({
      size: fc.integer({ min: 1, max: 300 }),
      kept: fc.integer({ min: 0, max: 2000 }),
      request: fc.integer({ min: 1, max: 700 }),
      ahead: fc.nat(700),
    });
    await fc.assert(
      fc.asyncProperty(ranges, sizes, fc.integer({ min: 1, max: 3 }), async (wanted, blocks, concurrency) => {
        const source = await openBytes(address, { ...remote, blocks, concurrency });
        expect(source.size).toBe(1500);
        const pairs = wanted.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
        const read = await Promise.all(pairs.map(([from, to]) => source.read(from, to - from)));
        expect(read).toEqual(pairs.map(([from, to]) => content.subarray(from, to)));
        await source.close();
      }),
      { numRuns: 20 },
    );
  });

  it('asks once to open, once for neighbours, and not again for what it holds', async () => {
    const { hub, remote } = await hubAnd({ blocks: { size: 64, kept: 4096, request: 1024, ahead: 0 } });
    hub.plain.set('/x.bin', { content: bytesOf(2000) });
    const source = await openBytes(`${hub.origin('cdn')}/x.bin`, remote);
    expect(hub.bytesAsked('x.bin')).toEqual([64]);
    await source.read(0, 10);
    await source.read(300, 400);
    expect(hub.bytesAsked('x.bin')).toEqual([64, 448]);
    await Promise.all([source.read(310, 50), source.read(1990, 10), source.read(1995, 5)]);
    expect(hub.bytesAsked('x.bin')).toEqual([64, 448, 16]);
    await expect(source.read(1999, 2)).rejects.toMatchObject({ code: 'BYTES_CUT' });
  });

  it('reads ahead of who reads on', async () => {
    const { hub, remote } = await hubAnd({ blocks: { ...small, kept: 2048, ahead: 512 } });
    hub.plain.set('/x.bin', { content: bytesOf(4000) });
    const source = await openBytes(`${hub.origin('cdn')}/x.bin`, remote);
    for (let at = 0; at < 4000; at += 50) await source.read(at, 50);
    expect(hub.bytesAsked('x.bin').length).toBeLessThanOrEqual(9);
  });

  it('goes on after a broken connection with the bytes that are missing', async () => {
    const { hub, remote, waits } = await hubAnd({ blocks: { ...small, request: 4096, kept: 4096 } });
    const content = bytesOf(3000);
    hub.plain.set('/x.bin', { content });
    const source = await openBytes(`${hub.origin('cdn')}/x.bin`, remote);
    hub.faults.push({ on: /x\.bin/, cut: 1000, times: 2 });
    expect(await source.read(100, 2900)).toEqual(content.subarray(100));
    const [, first, second, third] = hub.bytesAsked('x.bin');
    expect(first).toBe(2936);
    expect(second).toBeLessThan(2936);
    expect(third).toBeLessThan(second!);
    expect(waits).toEqual([500, 1000]);
  });

  it('says that a file changed rather than mixing two, with an entity tag and with a new size', async () => {
    const { hub, remote } = await hubAnd({ blocks: small });
    for (const [other, etag] of [
      [bytesOf(1000, 2), undefined],
      [bytesOf(900, 1), '"same"'],
      [bytesOf(1000, 2), 'W/"weak2"'],
    ] as const) {
      const before = etag === '"same"' ? etag : etag && 'W/"weak1"';
      hub.plain.set('/x.bin', { content: bytesOf(1000), ...(before && { etag: before }) });
      const source = await openBytes(`${hub.origin('cdn')}/x.bin`, remote);
      await source.read(0, 200);
      hub.plain.set('/x.bin', { content: other, ...(etag && { etag }) });
      await expect(source.read(700, 100)).rejects.toMatchObject({
        code: etag === '"same"' ? 'REMOTE_LENGTH' : 'REMOTE_CHANGED',
      });
      await source.close();
    }
  });

  it('copies what a server without ranges sends, up to a bound, and removes the copy', async () => {
    const copies = async (): Promise<number> =>
      (await readdir(tmpdir())).filter((name) => /^latstream-[0-9a-f]{8}-/.test(name)).length;
    const { hub, remote } = await hubAnd({ blocks: small, spool: 1000 });
    hub.ranges = false;
    hub.plain.set('/x.bin', { content: bytesOf(1000) }).set('/y.bin', { content: bytesOf(1001) });
    hub.faults.push({ on: /x\.bin/, cut: 500, times: 1 });
    const before = await copies();
    const source = await openBytes(`${hub.origin('cdn')}/x.bin`, remote);
    expect(await source.read(900, 100)).toEqual(bytesOf(1000).subarray(900));
    expect(source).toMatchObject({ path: `${hub.origin('cdn')}/x.bin`, size: 1000 });
    await source.close();
    await expect(openBytes(`${hub.origin('cdn')}/y.bin`, remote)).rejects.toMatchObject({
      code: 'REMOTE_RANGES',
    });
    hub.plain.set('/y.bin', { content: bytesOf(1001), length: 'unsaid' });
    await expect(openBytes(`${hub.origin('cdn')}/y.bin`, remote)).rejects.toMatchObject({
      code: 'REMOTE_RANGES',
    });
    hub.plain.set('/y.bin', { content: bytesOf(500), length: 900 });
    hub.faults.push({ on: /y\.bin/, cut: 500 });
    await expect(openBytes(`${hub.origin('cdn')}/y.bin`, remote)).rejects.toMatchObject({
      code: 'REMOTE_UNREACHABLE',
    });
    expect(await copies()).toBe(before);
  });

  it('refuses ranges that are not those asked for, and sizes that are none', async () => {
    const { hub, remote } = await hubAnd({ blocks: small });
    hub.plain.set('/x.bin', { content: bytesOf(1000) });
    const address = `${hub.origin('cdn')}/x.bin`;
    const source = await openBytes(address, remote);
    const wrong = (range: string): void =>
      void hub.faults.push({
        on: /x\.bin/,
        status: 206,
        headers: { 'content-range': range },
        body: 'x'.repeat(128),
        times: 1,
      });
    for (const range of [
      'bytes 0-127/1000',
      'bytes 512-639/2000',
      'items 512-639/1000',
      'bytes 512-999/1000',
    ]) {
      wrong(range);
      await expect(source.read(512, 128)).rejects.toMatchObject({ code: 'REMOTE_LENGTH' });
    }
    wrong('bytes 512-575/1000'); // and more than that follows
    await expect(source.read(512, 64)).rejects.toMatchObject({ code: 'REMOTE_LENGTH' });
    wrong('bytes 0-63/*');
    await expect(openBytes(address, remote)).rejects.toMatchObject({ code: 'REMOTE_LENGTH' });
  });

  it('tries again a bounded number of times, waiting as long as a busy server asks', async () => {
    const { hub, remote, waits } = await hubAnd({ tries: 3 });
    hub.plain.set('/x.bin', { content: bytesOf(10) });
    const address = `${hub.origin('cdn')}/x.bin`;
    hub.faults.push({ on: /x\.bin/, status: 429, headers: { 'retry-after': '7' }, times: 1 });
    hub.faults.push({ on: /x\.bin/, status: 503, times: 1 });
    await (await openBytes(address, remote)).close();
    expect(waits).toEqual([7000, 1000]);
    hub.faults.push({ on: /x\.bin/, status: 500 });
    const before = hub.asked.length;
    await expect(openBytes(address, remote)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
    expect(hub.asked.length - before).toBe(3);
  });

  it('gives up at once where a server asks to wait for long, and on one that is silent', async () => {
    const { hub, remote, waits } = await hubAnd({ tries: 2, patience: 20 });
    hub.faults.push(
      { on: /busy/, status: 429, headers: { ratelimit: '"api";r=0;t=299' } },
      { on: /silent/, silent: true },
    );
    await expect(openBytes(`${hub.origin('cdn')}/busy`, remote)).rejects.toThrow(/wait 299 s/);
    expect(waits).toEqual([]);
    await expect(openBytes(`${hub.origin('cdn')}/silent`, remote)).rejects.toThrow(
      /silence for 0.02 s, 2 times/,
    );
  });

  it('bounds redirects, and follows them to http and https only', async () => {
    const { hub, remote } = await hubAnd();
    const to = (location: string): number =>
      hub.faults.unshift({ on: /x\.bin/, status: 302, headers: { location } });
    for (const [location, got] of [
      ['/x.bin', 'more than 5 redirects'],
      ['file:///etc/passwd', 'the protocol file:'],
      ['http://user:secret@127.0.0.1/', 'a password in it'],
    ] as const) {
      to(location);
      await expect(openBytes(`${hub.origin('cdn')}/x.bin`, remote)).rejects.toThrow(got);
    }
    expect(hub.asked.length).toBeLessThan(10);
  });
});

describe('openBytes of a dataset on the hub', () => {
  it('sends the token to the hub and not to where it redirects, and goes back to the hub when that expires', async () => {
    const { hub, remote } = await hubAnd({ token: 'secret', blocks: small });
    const content = bytesOf(1000);
    hub.repository('datasets/org/set', { 'data/x.bin': content });
    const source = await openBytes('hf://datasets/org/set/data/x.bin', remote);
    expect(source).toMatchObject({
      path: 'hf://datasets/org/set/data/x.bin',
      size: 1000,
      etag: sha256(content),
    });
    await source.read(500, 10);
    expect(hub.asked.map(({ host }) => host)).toEqual(['hub', 'cdn', 'cdn']);
    hub.faults.push({ on: /^cdn/, status: 403, times: 1 });
    expect(await source.read(800, 10)).toEqual(content.subarray(800, 810));
    expect(hub.asked.map(({ host }) => host).slice(3)).toEqual(['cdn', 'hub', 'cdn']);
    for (const { host, authorization } of hub.asked)
      expect(authorization).toBe(host === 'hub' ? 'Bearer secret' : undefined);
  });

  it('reads what the cache holds without asking', async () => {
    const { hub, remote } = await hubAnd({ offline: true });
    const folder = join(remote.cache, 'datasets--org--set');
    const snapshot = join(folder, 'snapshots', hub.commit);
    for (const each of [join(folder, 'refs'), join(folder, 'blobs'), snapshot])
      await mkdir(each, { recursive: true });
    await writeFile(join(folder, 'refs', 'main'), hub.commit);
    await writeFile(join(folder, 'blobs', 'abc'), 'text');
    await symlink('../../blobs/abc', join(snapshot, 'x.txt'));
    const source = await openBytes('hf://datasets/org/set/x.txt', remote);
    expect(Buffer.from(await source.read(0, 4)).toString()).toBe('text');
    expect(source.etag).toBe('abc');
    await source.close();
    await expect(openBytes('hf://datasets/org/set/y.txt', remote)).rejects.toMatchObject({
      code: 'REMOTE_OFFLINE',
    });
    expect(hub.asked).toEqual([]);
  });

  it('says what to do where it is gated, missing or private', async () => {
    const { hub, remote } = await hubAnd();
    hub.repository('datasets/org/set', {});
    const gated = { status: 403, headers: { 'x-error-code': 'GatedRepo' }, times: 1 };
    hub.faults.push({ on: /resolve/, ...gated });
    await expect(openBytes('hf://datasets/org/set/x', remote)).rejects.toThrow(
      /accept its conditions.*HF_TOKEN/,
    );
    await expect(openBytes('hf://datasets/org/set/x', remote)).rejects.toMatchObject({
      code: 'REMOTE_MISSING',
    });
    hub.faults.push({ on: /resolve/, status: 401 });
    await expect(openBytes('hf://datasets/org/set/x', remote)).rejects.toMatchObject({
      code: 'REMOTE_UNAUTHORIZED',
    });
    await expect(openBytes('hf://datasets/org/set', remote)).rejects.toMatchObject({ code: 'HUB_REFERENCE' });
  });
});
