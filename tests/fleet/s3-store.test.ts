/** @file A store in a bucket, with the real client and as much of a service as it asks for. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BlobStore } from '../../fleet/blobs.js';
import { openStore } from '../../fleet/open-store.js';
import { S3Server } from '../helpers/s3-server.js';

let server: S3Server;
let store: BlobStore;
beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key').stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  server = await S3Server.start();
  store = await openStore(`s3://bucket/some/runs?endpoint=${server.url}`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

describe('a store in a bucket', () => {
  it('keeps, lists page by page, and removes', async () => {
    const names = Array.from({ length: 7 }, (_, at) => `runs/a/${at}`);
    for (const name of names) await store.put(name, Buffer.from(name));
    await store.put('runs/ab/1', Buffer.from('other'));
    expect([...server.objects.keys()][0]).toBe('some/runs/runs/a/0');
    expect(await store.list('runs/a/')).toEqual(names);
    expect(text(await store.get('runs/a/3'))).toBe('runs/a/3');
    expect(await store.get('runs/a/never')).toBeUndefined();
    await store.remove([...names, 'runs/a/never']);
    expect(await store.list('runs/')).toEqual(['runs/ab/1']);
    await store.remove([]);
  });

  it('says where the service refuses, without credentials', { timeout: 60_000 }, async () => {
    server.broken = 403;
    const refused = await store.put('x', Buffer.from('1')).catch((error: unknown) => error);
    server.broken = undefined;
    expect(refused).toMatchObject({ code: 'FLEET_STORE' });
    expect(String(refused)).not.toContain('secret');
  });

  it.each(['s3:///prefix', 'http://x/y', 'file://host/path', 'nothing'])(
    'refuses the address %s',
    async (address) => {
      await expect(openStore(address)).rejects.toMatchObject({ code: 'FLEET_STORE_ADDRESS' });
    },
  );
});
