/** @file A daemon, whole: its lock, state, supervisor and control API, opened and closed in an order that loses nothing. */
import { join } from 'node:path';
import { lockFile } from '../formats/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { isLoopback } from '../monitor/index.js';
import { writeAddress } from './address.js';
import { DEFAULTS, readConfig, type DaemonConfig } from './config.js';
import type { Launcher } from './launch.js';
import type { Log } from './log.js';
import { figuresOf } from './prometheus.js';
import { pageRoutes } from './page.js';
import { recordRoutes } from './records.js';
import { routesOf, type Route } from './routes.js';
import { startServer, type ControlServer } from './server.js';
import { Store } from './store.js';
import { Supervisor } from './supervisor.js';
import { Tail } from './tail.js';
import { newToken } from './token.js';

export interface DaemonOptions {
  /** A directory that is there. */
  readonly state: string;
  /** Where runs get their directories. */
  readonly runs: string;
  readonly host: string;
  /** Undefined: {@link USUAL_PORT}, or any free one. */
  readonly port: number | undefined;
  readonly allowedHosts: readonly string[];
  /** Undefined: a new one; not where others can reach the address. */
  readonly token: string | undefined;
  readonly parallel: number | undefined;
  readonly launch: Launcher;
  readonly log: Log;
}

export interface Daemon {
  readonly url: string;
  /** Reads the configuration again; a bad one changes nothing. */
  reload(): Promise<void>;
  /** Runs save, within the grace; behind it nothing is open. */
  close(): Promise<void>;
  /** Ends the wait of {@link close}: runs are killed and go on from their last checkpoints. */
  hurry(): void;
}

export const USUAL_PORT = 7078;
export const CONFIG = 'config.yaml';
const LOCK = 'daemon.lock';

/** @throws DAEMON_BUSY, DAEMON_TOKEN_MISSING, DAEMON_CONFIG, DAEMON_STATE_…, DAEMON_PORT_IN_USE, DAEMON_LISTEN */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { state, host } = options;
  const tail = new Tail(options.log);
  const log = tail.hear;
  if (!isLoopback(host) && options.token === undefined) refuseOpen(host);
  const release = await lockFile(join(state, LOCK), (pid) => busy(state, pid));
  let store: Store | undefined;
  try {
    const token = options.token ?? newToken();
    const config = (await configOf(options)) ?? defaultsOf(options);
    store = new Store(join(state, 'daemon.db'));
    const supervisor = new Supervisor({ ...options, log, store, config });
    let started = false;
    const routes = [
      ...routesOf(supervisor, figuresOf(supervisor), () => started && supervisor.ready),
      ...recordRoutes(store, tail),
      ...(await pageRoutes()),
    ];
    const server = await listening({ ...options, token, routes });
    await writeAddress(state, { url: server.url, token, pid: process.pid });
    supervisor.start();
    started = true;
    log('info', 'daemon started', { url: server.url, state, pid: process.pid });
    return daemonOf(options, supervisor, server, store, release);
  } catch (error) {
    store?.close();
    release();
    throw error;
  }
}

function daemonOf(
  options: DaemonOptions,
  supervisor: Supervisor,
  server: ControlServer,
  store: Store,
  release: () => void,
): Daemon {
  const { log } = options;
  return {
    url: server.url,
    reload: async () => {
      try {
        const config = await configOf(options);
        if (config) supervisor.configure(config);
        if (config) log('info', 'configuration read', { ...config });
        else log('warn', 'no configuration to read', { path: join(options.state, CONFIG) });
      } catch (error) {
        log('error', error instanceof Error ? error.message : String(error));
      }
    },
    close: async () => {
      log('info', 'daemon about to exit: runs save');
      await supervisor.close();
      await server.close();
      store.close();
      release();
      log('info', 'daemon ended');
    },
    hurry: () => supervisor.killAll(),
  };
}

type Listening = DaemonOptions & {
  readonly token: string;
  readonly routes: readonly Route[];
};

async function listening({ port, ...options }: Listening): Promise<ControlServer> {
  try {
    return await startServer({ ...options, port: port ?? USUAL_PORT });
  } catch (error) {
    const taken = error instanceof LatstreamError && error.code === 'DAEMON_PORT_IN_USE';
    if (!taken || port !== undefined) throw error;
    return startServer({ ...options, port: 0 });
  }
}

function defaultsOf({ parallel }: DaemonOptions): DaemonConfig {
  return { ...DEFAULTS, ...(parallel !== undefined && { parallel }) };
}

function configOf(options: DaemonOptions): Promise<DaemonConfig | undefined> {
  return readConfig(join(options.state, CONFIG), defaultsOf(options));
}

function refuseOpen(host: string): never {
  return complain({
    code: 'DAEMON_TOKEN_MISSING',
    owner: `daemon on ${host}`,
    expected: 'a token, where other machines can reach it',
    got: 'none',
    hint: 'give one by --token-file or LATSTREAM_TOKEN, or listen on 127.0.0.1',
  });
}

function busy(state: string, pid: number): never {
  return complain({
    code: 'DAEMON_BUSY',
    owner: `daemon state ${state}`,
    expected: 'a directory that no daemon has',
    got: `one that process ${pid} has`,
    hint: `stop that one, or choose another --state; if that process is not latstream, delete ${join(state, LOCK)}`,
  });
}
