/** @file What tests of remote files share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  fetchSnapshot,
  remoteSettings,
  type Remote,
  type Snapshot,
  type Watcher,
} from '../../remote/index.js';
import { HubServer } from '../helpers/hub-server.js';

/** Bytes that differ from place to place. */
export function bytesOf(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = (state * 1103515245 + 12345) % 2 ** 31) >>> 16);
}

/** A hub, and settings under which nothing waits. */
export async function hubAnd(
  over: Partial<Remote> = {},
): Promise<{ hub: HubServer; remote: Remote; waits: number[] }> {
  const hub = await HubServer.start();
  const cache = await mkdtemp(join(tmpdir(), 'latstream-hub-'));
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
  const waits: number[] = [];
  const remote = remoteSettings({
    endpoint: hub.origin(),
    token: undefined,
    offline: false,
    cache: join(cache, 'hub'),
    sleep: (milliseconds) => Promise.resolve(waits.push(milliseconds)),
    ...over,
  });
  return { hub, remote, waits };
}

/** A watcher that remembers. */
export function watching(): { watcher: Watcher; seen: { total: number; have: number; notes: string[] } } {
  const seen = { total: 0, have: 0, notes: [] as string[] };
  const watcher: Watcher = {
    total: (bytes) => (seen.total = bytes),
    have: (bytes) => (seen.have += bytes),
    note: (text) => seen.notes.push(text),
  };
  return { watcher, seen };
}

export const WEIGHTS = bytesOf(5000);
export const FILES = {
  'config.json': '{"model_type": "llama"}',
  'tokenizer.json': '{}',
  'README.md': '# no part of the model',
  'model.safetensors': WEIGHTS,
  'pytorch_model.bin': bytesOf(100, 2),
  'onnx/model.onnx': bytesOf(100, 3),
};

/** Fetches, watched by nobody. */
export function fetchModel(
  text: string,
  remote: Remote,
  use: 'model' | 'adapter' = 'model',
  signal?: AbortSignal,
): Promise<Snapshot> {
  return fetchSnapshot(text, { use, watcher: watching().watcher, signal }, remote);
}

/** A hub with one model, and where that will be kept. */
export async function hubWith(
  files: Readonly<Record<string, string | Uint8Array>>,
  over: Partial<Remote> = {},
): Promise<{ hub: HubServer; remote: Remote; folder: string }> {
  const { hub, remote } = await hubAnd(over);
  hub.repository('models/org/name', files);
  return { hub, remote, folder: join(remote.cache, 'models--org--name') };
}

/** The files whose content was asked for. */
export const contentAsked = (hub: HubServer): string[] =>
  hub.asked
    .filter(({ path }) => path.includes('/resolve/'))
    .map(({ path }) => path.replace(/.*\/resolve\/\w+\//, ''));
