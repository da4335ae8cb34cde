/** @file What runs have left of answers and evaluations, brought from the store when somebody asks. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatstreamError } from '../foundation/index.js';
import type { BlobStore } from './blobs.js';
import { materialize } from './publish.js';
import type { Manifest } from './run.js';

const WANTED = /^[^/]+\/(answers\.jsonl|evaluation\.json)$/;
/** Runs that are kept at a time. */
const MOST = 16;

interface Cached {
  /** What it was made of. */
  readonly version: string;
  readonly directory: string;
}

export class CachedRecords {
  readonly #cached = new Map<string, Promise<Cached>>();

  /** @param manifest of a run, as it is now */
  constructor(
    private readonly store: BlobStore,
    private readonly manifest: (id: string) => Promise<Manifest | undefined>,
  ) {}

  /** A directory with those files of a run; undefined where nothing was published. */
  async of(id: string): Promise<string | undefined> {
    const manifest = await this.manifest(id);
    if (!manifest) return undefined;
    const files = Object.entries(manifest.files).filter(([name]) => WANTED.test(name));
    const version = JSON.stringify(files);
    const known = await this.#cached.get(id)?.catch(() => undefined);
    if (known?.version === version) return known.directory;
    const made = this.#made(id, manifest, version);
    this.#cached.delete(id);
    this.#cached.set(id, made);
    if (known) await rm(known.directory, { recursive: true, force: true });
    await this.#forget();
    return (await made).directory;
  }

  async close(): Promise<void> {
    for (const id of [...this.#cached.keys()]) await this.#drop(id);
  }

  async #made(id: string, manifest: Manifest, version: string, again = true): Promise<Cached> {
    const directory = await mkdtemp(join(tmpdir(), 'latstream-records-'));
    try {
      await materialize(this.store, id, manifest, directory, (name) => WANTED.test(name));
      return { version, directory };
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      // What a newer commit no longer names may be gone by now.
      const newer = again && error instanceof LatstreamError && (await this.manifest(id));
      if (newer) return this.#made(id, newer, version, false);
      throw error;
    }
  }

  async #forget(): Promise<void> {
    const [oldest] = this.#cached.keys();
    if (this.#cached.size > MOST && oldest !== undefined) await this.#drop(oldest);
  }

  async #drop(id: string): Promise<void> {
    const known = await this.#cached.get(id)?.catch(() => undefined);
    this.#cached.delete(id);
    if (known) await rm(known.directory, { recursive: true, force: true });
  }
}
