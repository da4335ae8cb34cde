/** @file `latstream collect`: the directory of a daemon's run on this machine, wherever it trained. */
import { basename, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Client, RunView } from '../daemon/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { clientOf, withDaemon, type ClientOptions } from './daemon-client.js';
import { gather, type Source, type Watcher } from './gather.js';
import { lockRun } from './run/lock.js';
import { makeDirectory } from './outputs.js';
import { progressBar, type ProgressBar } from './progress.js';

export function addCollect(program: Command): void {
  withDaemon(program.command('collect'), 'print {"run", "directory", "files", "bytes", "fetched"}')
    .description("bring a run's directory to this machine; again, only what is new")
    .argument('<run>', 'its id')
    .argument('[directory]', 'where it is to be (default: runs/NAME-ID)')
    .action(collect);
}

async function collect(id: string, place: string | undefined, options: ClientOptions): Promise<void> {
  const client = await clientOf(options);
  const run = (await client.runs()).find((each) => each.id === id) ?? unknown(id);
  const directory = resolve(place ?? join('runs', defaultName(run)));
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  await makeDirectory(directory);
  const release = await lockRun(directory);
  const bar = new Bar(id);
  try {
    const found = await gather(sourceOf(client, id, stop.signal), directory, id, bar);
    bar.stop();
    const { files, bytes, fetched } = found;
    const text = `${id}  ${files} files, ${bytes} bytes, ${fetched} of them fetched  ${directory}`;
    process.stdout.write(`${options.json ? JSON.stringify({ run: id, directory, ...found }) : text}\n`);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    complain({
      ...{ code: 'INTERRUPTED', owner: `collect ${id}`, expected: 'to collect all of it' },
      ...{ got: 'a signal to stop', hint: 'what has arrived is kept: the same command goes on' },
    });
  } finally {
    bar.stop();
    release();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function sourceOf(client: Client, id: string, signal: AbortSignal): Source {
  return {
    list: async () => (await patiently(() => client.files(id, signal))).files,
    open: (path) => patiently(() => client.file(id, path, signal)),
  };
}

/** A run may have more small files than an address may ask for at once. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof LatstreamError && error.code === 'DAEMON_RATE')) throw error;
      await pause(1000);
    }
  }
}

/** A name is the daemon's word: no path is made of it. */
function defaultName({ name, id }: RunView): string {
  return basename(`${name}-${id}`.replace(/[^\w.-]/g, '_'));
}

class Bar implements Watcher {
  #bar: ProgressBar | undefined;
  #done = 0;

  constructor(private readonly id: string) {}

  begin(total: number): void {
    this.stop();
    this.#done = 0;
    if (total > 0) this.#bar = progressBar(`collect ${this.id}, KiB`, kibi(total));
  }

  arrived(bytes: number, path: string): void {
    this.#done += bytes;
    this.#bar?.update(kibi(this.#done), path);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

function kibi(bytes: number): number {
  return Math.ceil(bytes / 1024);
}

function unknown(id: string): never {
  return complain({
    code: 'DAEMON_RUN_UNKNOWN',
    owner: 'collect',
    expected: 'the id of a run',
    got: id.slice(0, 80),
    hint: 'latstream runs lists them',
  });
}
