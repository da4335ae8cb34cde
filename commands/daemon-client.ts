/** @file How commands find a daemon: the options that name it, and a client of it. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Client } from '../daemon/index.js';
import { complain } from '../foundation/index.js';
import { stateDirectory } from './daemon.js';

export interface ClientOptions {
  readonly daemon?: string;
  readonly state?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

/** @param json what is printed as JSON */
export function withDaemon(command: Command, json = 'print what the daemon replies'): Command {
  return command
    .option('--daemon <url>', 'where the daemon answers (default: as its state says)')
    .option('--state <dir>', `the daemon's (default: ${stateDirectory()})`)
    .option('--token-file <file>', 'with its token (default: LATSTREAM_TOKEN, or as its state says)')
    .option('--ca <file>', 'certificates in PEM that a daemon at https:// is trusted by')
    .option('--json', json);
}

export async function clientOf(options: ClientOptions): Promise<Client> {
  const { Client, givenToken, readAddress, readAuthorities, unreachable } =
    await import('../daemon/index.js');
  const state = resolve(options.state ?? stateDirectory());
  const found = await readAddress(state);
  if (options.daemon !== undefined && !isAddress(options.daemon)) refuseAddress(options.daemon);
  const url = options.daemon ?? found?.url ?? unreachable(`of ${state}`);
  // What the state says is for its own daemon's ears.
  const own = found && originOf(found.url) === originOf(url) ? found.token : '';
  const ca = options.ca === undefined ? undefined : await readAuthorities(options.ca);
  return new Client(url, (await givenToken(options.tokenFile)) ?? own, ca);
}

const isAddress = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text);

/** However this machine is named. */
function originOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return `${protocol}//${hostname === 'localhost' ? '127.0.0.1' : hostname}:${port}`;
}

function refuseAddress(got: string): never {
  return complain({
    code: 'DAEMON_ADDRESS',
    owner: '--daemon',
    expected: 'http://HOST:PORT or https://HOST:PORT',
    got,
    hint: 'as the daemon says it when it starts',
  });
}

/** Where it is looked for, for people. */
export function daemonPlace(options: ClientOptions): string {
  return options.daemon ?? `the daemon of ${resolve(options.state ?? stateDirectory())}`;
}
