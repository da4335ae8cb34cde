/** @file A daemon, whole: its lock, state, supervisor and control API, opened and closed in an order that loses nothing. */
import { join } from 'node:path';
import { lockFile } from '../formats/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { isLoopback } from '../monitor/index.js';
import { readAddress, writeAddress } from './address.js';
import { DEFAULTS, readConfig, type DaemonConfig } from './config.js';
import { newIdentity, type Identity } from './identity.js';
import type { Launcher } from './launch.js';
import type { Log } from './log.js';
import { figuresOf } from './prometheus.js';
import { pageRoutes } from './page.js';
import { Postman } from './postman.js';
import { LocalQueue } from './local-queue.js';
import type { Queue } from './queue.js';
import { recordRoutes } from './records.js';
import { routesOf, type Route } from './routes.js';
import { startServer, type ControlServer, type ServerParts } from './server.js';
import { Store } from './store.js';
import { Supervisor } from './supervisor.js';
import { Tail } from './tail.js';
import { readCredentials, type Credentials, type TlsFiles } from './tls.js';
import { newToken, tokensOf, type Tokens } from './token.js';

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
  /** For those who only look. Undefined: the last daemon's, or a new one. */
  readonly viewToken?: string | undefined;
  /** Undefined: no TLS. */
  readonly tls?: TlsFiles | undefined;
  readonly parallel: number | undefined;
  /** Of latstream. */
  readonly version: string;
  readonly launch: Launcher;
  readonly log: Log;
  /** One that several daemons share; without it, one of its own. */
  readonly openQueue?: QueueOpener;
  /** What is answered beside what a daemon knows itself. */
  readonly moreRoutes?: (queue: Queue) => readonly Route[];
}

/** What a queue is opened with. */
export interface QueueParts {
  readonly config: DaemonConfig;
  readonly identity: Identity;
  readonly runs: string;
  readonly launch: Launcher;
  readonly log: Log;
  /** What was logged about a run, for its log. */
  readonly tail: Tail;
}

export type QueueOpener = (parts: QueueParts) => Promise<Queue>;

export interface Daemon {
  readonly url: string;
  /** Reads the configuration and the certificate again; bad ones change nothing. */
  reload(): Promise<void>;
  /** Runs save, within the grace; behind it nothing is open. */
  close(): Promise<void>;
  /** Ends the wait of {@link close}: runs are killed and go on from their last checkpoints. */
  hurry(): void;
}

export const USUAL_PORT = 7078;
export const CONFIG = 'config.yaml';
const LOCK = 'daemon.lock';

/** @throws DAEMON_BUSY, DAEMON_TOKEN_MISSING, DAEMON_TOKEN_SAME, DAEMON_TLS, DAEMON_CONFIG, DAEMON_STATE_…, DAEMON_PORT_IN_USE, DAEMON_LISTEN */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { state, host } = options;
  const tail = new Tail(options.log);
  const log = tail.hear;
  if (!isLoopback(host) && options.token === undefined) refuseOpen(host);
  const release = await lockFile(join(state, LOCK), (pid) => busy(state, pid)).catch((error: unknown) =>
    notWritable(state, error),
  );
  let queue: Queue | undefined;
  let server: ControlServer | undefined;
  try {
    const tokens = await tokensFor(options);
    const credentials = options.tls && (await readCredentials(options.tls));
    const config = (await configOf(options)) ?? defaultsOf(options);
    const identity = newIdentity(options.version);
    const opened = await (options.openQueue ?? localQueue(state))({
      ...{ ...options, log, tail, config, identity },
    });
    queue = opened;
    let started = false;
    const routes = [
      ...routesOf(opened, figuresOf(opened), () => started && opened.ready),
      ...recordRoutes(opened),
      ...(options.moreRoutes?.(opened) ?? []),
      ...(await pageRoutes()),
    ];
    const { requestsPerSecond } = config;
    server = await listening({
      ...options,
      tokens,
      routes,
      requestsPerSecond,
      tls: credentials?.options,
    });
    const { control: token, view: viewToken } = tokens;
    await writeAddress(state, { url: server.url, token, viewToken, pid: process.pid });
    await opened.start();
    started = true;
    log('info', 'daemon started', { url: server.url, state, pid: process.pid });
    if (credentials) tell(credentials, log);
    return daemonOf(options, opened, server, release);
  } catch (error) {
    await server?.close();
    await queue?.close();
    release();
    throw error;
  }
}

function localQueue(state: string): QueueOpener {
  return async (parts) => {
    const store = new Store(join(state, 'daemon.db'));
    const postman = new Postman({ store, log: parts.log, hooks: parts.config.webhooks });
    const supervisor = new Supervisor({ ...parts, store, hear: postman.hear });
    return new LocalQueue({ ...parts, supervisor, store, postman });
  };
}

function daemonOf(options: DaemonOptions, queue: Queue, server: ControlServer, release: () => void): Daemon {
  const { log } = options;
  return {
    url: server.url,
    reload: async () => {
      const attempt = (work: Promise<void>): Promise<void> =>
        work.catch((error: unknown) => log('error', error instanceof Error ? error.message : String(error)));
      await attempt(configure(options, queue, server));
      if (options.tls) await attempt(certify(options.tls, log, server));
    },
    close: async () => {
      log('info', 'daemon about to exit: runs save');
      await queue.leave();
      await server.close();
      await queue.close();
      release();
      log('info', 'daemon ended');
    },
    hurry: () => queue.killAll(),
  };
}

async function configure(options: DaemonOptions, queue: Queue, server: ControlServer): Promise<void> {
  const config = await configOf(options);
  if (config === undefined) {
    options.log('warn', 'no configuration to read', { path: join(options.state, CONFIG) });
    return;
  }
  queue.configure(config);
  server.limit(config.requestsPerSecond);
  // Addresses of webhooks may be secrets as much as their secrets are.
  options.log('info', 'configuration read', { ...config, webhooks: config.webhooks.length });
}

async function certify(files: TlsFiles, log: Log, server: ControlServer): Promise<void> {
  const credentials = await readCredentials(files);
  server.certify(credentials.options);
  tell(credentials, log);
}

function tell({ subject, expires }: Credentials, log: Log): void {
  const late = expires.getTime() < Date.now();
  log(late ? 'warn' : 'info', late ? 'certificate has expired' : 'certificate read', { subject, expires });
}

/** Whoever was given a view token keeps it through restarts. */
async function tokensFor({ state, token, viewToken }: DaemonOptions): Promise<Tokens> {
  const before = await readAddress(state);
  return tokensOf(token ?? newToken(), viewToken ?? before?.viewToken ?? newToken());
}

type Listening = Omit<DaemonOptions, 'tls'> &
  Pick<ServerParts, 'tokens' | 'routes' | 'requestsPerSecond' | 'tls'>;

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

function notWritable(state: string, error: unknown): never {
  if (error instanceof LatstreamError) throw error;
  return complain(
    {
      code: 'DAEMON_STATE_WRITE',
      owner: `daemon state ${state}`,
      expected: 'a directory that can be written',
      got: error instanceof Error ? error.message : String(error),
      hint: 'check its permissions and its disk, or choose another --state',
    },
    { cause: error },
  );
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
