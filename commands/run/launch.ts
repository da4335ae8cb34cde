/** @file A run of the daemon: begun or found, its live page opened, its process started, and its end put into the daemon's words. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch, Launched, LaunchEnd, Listener } from '../../daemon/index.js';
import { LatstreamError } from '../../foundation/index.js';
import type { Settings } from '../../operators/index.js';
import { checkRecipe } from '../../recipes/index.js';
import { beginRun, findRun, RECIPE, type RunDirectory } from './directory.js';
import { errorReport, EXIT, exitCodeOf } from '../exit.js';
import { fetched, pinned } from '../fetch.js';
import { systemCodeOf } from './messages.js';
import { openMonitor } from './monitoring.js';
import { startRun, type RunChild } from './run-child.js';

/** Live pages are this machine's: they ask for no token. */
const HOST = '127.0.0.1';

/** Starts a run; whatever goes wrong is how it ends. */
export function launch(run: Launch, listener: Listener): Launched {
  return new Started(run, listener);
}

class Started implements Launched {
  page: string | undefined;
  readonly ended: Promise<LaunchEnd>;
  #child: RunChild | undefined;
  #unwanted = false;
  #killed = false;
  #asked: Settings;

  constructor(run: Launch, listener: Listener) {
    this.#asked = run.settings;
    this.ended = this.#whole(run, listener).catch((error: unknown) =>
      this.#killed ? { kind: 'die', reason: 'its process was killed, as asked' } : endOf(error),
    );
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  stop(): void {
    this.#unwanted = true;
    this.#child?.tell('stop');
  }

  change(settings: Settings): void {
    this.#asked = { ...this.#asked, ...settings }; // it may not have its process yet
    this.#child?.change(settings);
  }

  kill(): void {
    this.#unwanted = this.#killed = true;
    this.#child?.kill();
  }

  async #whole(run: Launch, listener: Listener): Promise<LaunchEnd> {
    const begun = await opened(run);
    try {
      return await this.#watched(begun, listener);
    } finally {
      begun.release();
    }
  }

  async #watched({ out, recipe }: RunDirectory, listener: Listener): Promise<LaunchEnd> {
    const spec = { recipe: await fetched(recipe), out, dryRun: false };
    const monitor = await openMonitor(recipe, out, { port: 0, host: HOST, watchOnly: true });
    try {
      // Whoever stopped it while it was downloading has stopped it.
      if (this.#unwanted) return { kind: 'save' };
      this.page = monitor.url;
      this.#child = startRun(spec, (message) => {
        if (message.type === 'note') {
          monitor.note(message.text);
          listener.note(message.text);
        }
        if (message.type === 'changed') listener.changed(message.settings);
        if (message.type !== 'metric') return;
        monitor.publish(message.metric);
        listener.metric(message.metric);
      });
      if (Object.keys(this.#asked).length > 0) this.#child.change(this.#asked);
      const end = await this.#child.ended;
      return { kind: end.type === 'done' ? 'finish' : 'save' };
    } finally {
      await monitor.close();
    }
  }
}

/** The directory is this run's alone: what was begun in it was begun by a former process of it. */
async function opened({ directory, recipe, movable }: Launch): Promise<RunDirectory> {
  if (existsSync(join(directory, RECIPE))) return findRun(directory);
  return beginRun(await pinned(checkRecipe(recipe, 'submitted recipe')), directory, movable);
}

/** Of a disk, or of one's share of it, that is full. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** A disk stays full until somebody acts, and a run that was too large stays so; what else the machine did may pass, and a signal is nobody's fault; anything else would happen again. */
function endOf(error: unknown): LaunchEnd {
  if (error instanceof LatstreamError && error.code === 'INTERRUPTED') return { kind: 'save' };
  const reason = errorReport(error, false).trim().slice(0, 2000);
  if (FULL.has(systemCodeOf(error) ?? ''))
    return { kind: 'halt', reason: `the disk is full: make room, then resume. ${reason}` };
  if (error instanceof LatstreamError && error.code === 'RUN_MEMORY')
    return { kind: 'halt', reason: `memory ran out: make room, then resume. ${reason}` };
  return { kind: exitCodeOf(error) === EXIT.environment ? 'die' : 'fail', reason };
}
