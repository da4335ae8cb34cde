/** @file `latstream daemon`: the process that keeps a queue of runs going, and what signals mean to it. */
import { chmod } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Daemon, QueueOpener } from '../daemon/index.js';
import { complain } from '../foundation/index.js';
import { launch } from './run/launch.js';
import { collect, whole } from './options.js';
import { makeDirectory } from './outputs.js';
import { packageVersion } from './run/places.js';

interface DaemonOptions {
  readonly state?: string;
  readonly runs?: string;
  readonly port?: number;
  readonly host: string;
  readonly allowHost: readonly string[];
  readonly tokenFile?: string;
  readonly viewTokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly parallel?: number;
  readonly jsonLogs?: boolean;
  readonly queue?: string;
  readonly store?: string;
}

export function addDaemon(program: Command): void {
  program
    .command('daemon')
    .description('keep a queue of runs going, each in a process of its own; see submit, runs, pause, …')
    .option('--state <dir>', `where its state is (default: ${stateDirectory()})`)
    .option('--runs <dir>', 'where runs get their directories (default: runs in the state)')
    .option('--port <n>', 'of the control API; 0 for any free one (default: 7078, or any)', whole(0, 65535))
    .option('--host <address>', 'that the control API listens on', '127.0.0.1')
    .option('--allow-host <name>', 'another name that clients may use for it; repeatable', collect, [])
    .option(
      '--token-file <file>',
      'with the token that clients must know (default: LATSTREAM_TOKEN, or a new one)',
    )
    .option(
      '--view-token-file <file>',
      'with the token of those who only look (default: LATSTREAM_VIEW_TOKEN, or one that it keeps in daemon.json)',
    )
    .option('--tls-cert <file>', 'certificate in PEM: the control API speaks HTTPS; SIGHUP reads it again')
    .option('--tls-key <file>', 'its key in PEM')
    .option(
      '--parallel <n>',
      'runs at a time, unless config.yaml in the state says; 0 takes none (default: 1)',
      whole(0, 1024),
    )
    .option(
      '--queue <url>',
      'redis://HOST:PORT[/DB] or rediss://…: the queue that daemons share; see docs/fleet.md',
    )
    .option('--store <url>', 'with --queue: where runs are shared, file:///SHARED/PATH or s3://BUCKET/PREFIX')
    .option('--json-logs', 'log lines of JSON, as where standard error is no terminal')
    .action(daemon);
}

/** Of this user, as the XDG base directory specification has it. */
export function stateDirectory(): string {
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'latstream');
}

async function daemon(options: DaemonOptions): Promise<void> {
  // Loaded by those who need it: there is a native binary behind it.
  const { createLog, givenToken, startDaemon, tlsFiles } = await import('../daemon/index.js');
  const { sweepRoutes } = await import('../sweeps/index.js');
  const state = resolve(options.state ?? stateDirectory());
  const runs = resolve(options.runs ?? join(state, 'runs'));
  const token = await givenToken(options.tokenFile);
  const viewToken = await givenToken(options.viewTokenFile, 'view');
  const openQueue = await sharedQueueOf(options);
  // Processes of runs need not know them.
  delete process.env['LATSTREAM_TOKEN'];
  delete process.env['LATSTREAM_VIEW_TOKEN'];
  delete process.env['LATSTREAM_REDIS_PASSWORD'];
  const tls = tlsFiles(options.tlsCert, options.tlsKey);
  if ((await makeDirectory(state)).length > 0) await chmod(state, 0o700);
  await makeDirectory(runs);
  const json = options.jsonLogs === true || !process.stderr.isTTY;
  const log = createLog((line) => process.stderr.write(line), json);
  const { host, port, parallel, allowHost: allowedHosts } = options;
  const access = { host, port, allowedHosts, token, viewToken, tls };
  const running = await startDaemon({
    ...{ ...access, state, runs, parallel, launch, log, version: packageVersion() },
    moreRoutes: sweepRoutes,
    ...(openQueue && { openQueue }),
  });
  await untilSignalled(running);
}

/** Undefined: a queue of the daemon's own. */
async function sharedQueueOf({ queue, store }: DaemonOptions): Promise<QueueOpener | undefined> {
  if (queue === undefined && store === undefined) return undefined;
  if (queue === undefined || store === undefined)
    return complain({
      code: 'USAGE_QUEUE',
      owner: 'daemon',
      expected: '--queue and --store together',
      got: queue === undefined ? '--store alone' : '--queue alone',
      hint: 'runs of a shared queue go on on other machines: name a store that all of them reach',
    });
  const { sharedQueue } = await import('../fleet/index.js');
  return sharedQueue({ queue, store, password: process.env['LATSTREAM_REDIS_PASSWORD'] });
}

/** SIGTERM and SIGINT end it, a second one at once; SIGHUP reads its configuration again. */
async function untilSignalled(running: Daemon): Promise<void> {
  const reload = (): void => void running.reload();
  process.on('SIGHUP', reload);
  await new Promise<void>((done) => process.once('SIGTERM', done).once('SIGINT', done));
  const hurry = (): void => running.hurry();
  process.on('SIGTERM', hurry).on('SIGINT', hurry);
  await running.close();
  process.off('SIGHUP', reload).off('SIGTERM', hurry).off('SIGINT', hurry);
}
