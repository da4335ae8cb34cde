/** @file The store that an address names, and whether it is the one that the queue's other workers have. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { complain } from '../foundation/index.js';
import { IDENTITY, type BlobStore } from './blobs.js';
import { fileStore } from './file-store.js';
import { KEYS } from './keys.js';
import type { Connection } from './redis.js';
import { s3Store } from './s3-store.js';

const MOST_TRIES = 10;
const AGAIN_MILLISECONDS = 200;

/** `file:///SHARED/PATH` or `s3://BUCKET/PREFIX`. @throws FLEET_STORE_ADDRESS */
export async function openStore(text: string): Promise<BlobStore> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 's3:') return s3Store(url);
  if (url?.protocol === 'file:' && url.host === '') return fileStore(fileURLToPath(url));
  return complain({
    code: 'FLEET_STORE_ADDRESS',
    owner: '--store',
    expected: 'file:///SHARED/PATH or s3://BUCKET/PREFIX',
    got: url ? `${url.protocol}//…` : 'no address',
    hint: 'name what all machines of the fleet share',
  });
}

/**
 * Holds a store to the queue: whoever is first says which one it is.
 * @throws FLEET_STORE_DIFFERS, FLEET_STORE
 */
export async function sameStore(store: BlobStore, redis: Connection): Promise<void> {
  let found = await identityOf(store);
  const own = found ?? randomUUID();
  const isFirst = (await redis.setnx(KEYS.store, own)) === 1;
  if (isFirst && found === undefined) await store.put(IDENTITY, Buffer.from(own));
  if (isFirst) return;
  const shared = await redis.get(KEYS.store);
  // Whoever is first may be about to write it.
  for (let tries = 0; found === undefined && tries < MOST_TRIES; tries++) {
    await pause(AGAIN_MILLISECONDS);
    found = await identityOf(store);
  }
  if (found !== shared)
    complain({
      code: 'FLEET_STORE_DIFFERS',
      owner: `store ${store.shown}`,
      expected: "the store of the queue's other workers",
      got: found === undefined ? 'an empty one' : 'another one',
      hint: 'give all daemons of a queue the same --store (is it mounted?); its path on each machine may differ',
    });
}

async function identityOf(store: BlobStore): Promise<string | undefined> {
  const found = await store.get(IDENTITY);
  return found && Buffer.from(found).toString('utf8');
}
