/** @file `latstream watch`: a run, or the runs of a daemon, in a terminal. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { complain, LatstreamError } from '../foundation/index.js';
import { DaemonRuns, LivePage, present, RunRecord, type Ending, type Source } from '../watch/index.js';
import { clientOf, daemonPlace, withDaemon, type ClientOptions } from './daemon-client.js';
import { METRICS, readRecipe, RECIPE, SUMMARY } from './run/directory.js';
import { EXIT } from './exit.js';
import { LOCK } from './run/lock.js';
import { whole } from './options.js';

interface WatchOptions extends ClientOptions {
  readonly patience: number;
}

export function addWatch(program: Command): void {
  withDaemon(program.command('watch'), 'print a line of JSON for everything that is seen')
    .description('show a run, or the runs of a daemon, as they go; keys are named at the bottom')
    .argument(
      '[what]',
      "a live page's address, the id of a run of the daemon, or a run's directory (default: all runs of the daemon)",
    )
    .option(
      '--patience <seconds>',
      'for which what is watched may be out of reach before that is an error',
      whole(0, 86_400),
      60,
    )
    .action(watch);
}

async function watch(what: string | undefined, options: WatchOptions): Promise<void> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  process.once('SIGINT', leave).once('SIGTERM', leave).once('SIGHUP', leave);
  const { stdin: input, stdout: output } = process;
  const json = options.json === true;
  try {
    const source = await sourceOf(what, options, output.isTTY && !json);
    conclude(await present(source, { json, input, output, signal: left.signal }));
    if (left.signal.aborted) process.exitCode = EXIT.interrupted;
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', leave).off('SIGHUP', leave);
  }
}

async function sourceOf(what: string | undefined, options: WatchOptions, choosing: boolean): Promise<Source> {
  const { patience } = options;
  const url = what === undefined ? undefined : addressIn(what);
  if (url) return new LivePage(url, patience);
  if (what !== undefined && (/[/\\]/.test(what) || existsSync(join(what, RECIPE)))) {
    const { out, recipe } = await readRecipe(what);
    const { name } = recipe;
    return new RunRecord({ directory: out, name, metrics: METRICS, lock: LOCK, summary: SUMMARY });
  }
  return new DaemonRuns({
    connect: () => clientOf(options),
    from: daemonPlace(options),
    run: what,
    choosing,
    patience,
  });
}

/** `HOST:PORT` is one, too. */
function addressIn(what: string): URL | undefined {
  const text = /^[\w.-]+:\d+\/?$/.test(what) ? `http://${what}` : what;
  if (!/^(https?|wss?):\/\//.test(text)) return undefined;
  if (URL.canParse(text)) return new URL(text);
  return complain({
    code: 'USAGE_WATCH',
    owner: 'watch',
    expected: 'an address such as http://127.0.0.1:7077/',
    got: what.slice(0, 200),
    hint: 'latstream train says where its live page is',
  });
}

/** Ends as the run did. */
function conclude(ending: Ending): void {
  if (ending.kind === 'stopped') {
    process.stderr.write(`${ending.run} was stopped: ${ending.reason}\n`);
    process.exitCode = EXIT.interrupted;
  }
  if (ending.kind !== 'failed') return;
  const { run, reason } = ending;
  // Its own code, where it said one: who watches ends with the run's exit code.
  const code = [...reason.matchAll(/\[([A-Z]+(?:_[A-Z]+)*)\]/g)].at(-1)?.[1] ?? 'WATCH_FAILED';
  throw new LatstreamError({
    ...{ code, owner: `run ${run}`, expected: 'a run that ends well', got: reason },
    hint: 'mend what it says, then resume it',
  });
}
