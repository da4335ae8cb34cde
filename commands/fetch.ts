/** @file Models and adapters of the hub become folders of this machine before a command opens them; shows how far it is. */
import { complain } from '../foundation/index.js';
import type { Recipe } from '../recipes/index.js';
import { fetchSnapshot, isModelReference, type Snapshot, type Watcher } from '../remote/index.js';
import { progressBar, type ProgressBar } from './progress.js';

/** What a reference is used as. */
type Use = 'model' | 'adapter';

/** The folder (or `.gguf` file) that a path or an `hf:` reference means; downloaded where it must be. */
export async function localFolder(path: string, use: Use = 'model'): Promise<string> {
  return isModelReference(path) ? (await download(path, use)).path : path;
}

/**
 * Downloads what a reference means, with a bar at a terminal. SIGINT and SIGTERM end it; what has arrived is kept.
 * @throws INTERRUPTED, and what `fetchSnapshot` throws.
 */
export async function download(reference: string, use: Use): Promise<Snapshot> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const bar = new DownloadBar(reference);
  try {
    return await fetchSnapshot(reference, { use, watcher: bar, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return complain({
      code: 'INTERRUPTED',
      owner: reference,
      expected: 'to download all of it',
      got: 'a signal to stop',
      hint: 'what has arrived is kept: the same command goes on with it',
    });
  } finally {
    bar.stop();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** The recipe with every `hf:` reference at the commit that it means now, and downloaded. */
export function pinned(recipe: Recipe): Promise<Recipe> {
  return withModel(recipe, async (path) =>
    isModelReference(path) ? (await download(path, 'model')).pinned : path,
  );
}

/** The recipe with every `hf:` reference as a folder of this machine. */
export function fetched(recipe: Recipe): Promise<Recipe> {
  return withModel(recipe, (path) => localFolder(path));
}

async function withModel(recipe: Recipe, change: (path: string) => Promise<string>): Promise<Recipe> {
  const { model } = recipe;
  if (model.kind === 'run') return recipe;
  return {
    ...recipe,
    model:
      model.kind === 'directory'
        ? { ...model, path: await change(model.path) }
        : { ...model, tokenizer: await change(model.tokenizer) },
  };
}

const MEGABYTE = 1e6;

/** Bytes on a bar, in megabytes; notes on a line of their own. */
class DownloadBar implements Watcher {
  private bar: ProgressBar | undefined;
  private bytes = 0;

  constructor(private readonly label: string) {}

  total(bytes: number): void {
    this.bar = progressBar(`${this.label}, MB`, Math.ceil(bytes / MEGABYTE));
  }

  have(bytes: number): void {
    this.bytes += bytes;
    this.bar?.update(Math.round(this.bytes / MEGABYTE));
  }

  note(text: string): void {
    process.stderr.write(`latstream: ${text}\n`);
  }

  stop(): void {
    this.bar?.stop();
  }
}
