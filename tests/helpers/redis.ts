/** @file A real Redis of a test's own: on a free port of this machine, in a directory of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificates.js';

const PROGRAM = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);

/** For `describe.skipIf`; says why. */
export const withoutRedis = PROGRAM === undefined;
if (withoutRedis) console.warn('skipped: neither redis-server nor valkey-server is installed');

const said = withoutRedis
  ? undefined
  : spawnSync(PROGRAM ?? '', ['--port', '0', '--tls-port', '1', '--tls-cert-file', '/nowhere']);
/** Whether it was built without TLS. */
export const withoutTls =
  !said || /bad directive/i.test(`${said.stdout.toString()}${said.stderr.toString()}`);
if (withoutTls && !withoutRedis) console.warn('skipped: the Redis that is installed was built without TLS');

export class RedisServer {
  #child: ChildProcess | undefined;

  private constructor(
    private readonly directory: string,
    readonly port: number,
    private readonly durable: boolean,
    private readonly tls: Certificate | undefined,
  ) {}

  /** @param durable what it was told survives its end. @param tls speaks nothing else */
  static async start(durable = false, tls?: Certificate): Promise<RedisServer> {
    const server = new RedisServer(
      await mkdtemp(join(tmpdir(), 'latstream-redis-')),
      await freePort(),
      durable,
      tls,
    );
    await server.begin();
    return server;
  }

  get url(): string {
    return `${this.tls ? 'rediss' : 'redis'}://127.0.0.1:${this.port}/0`;
  }

  async begin(): Promise<void> {
    const { cert, key } = this.tls ?? {};
    const settings = {
      ...(this.tls && { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': cert }),
      ...(this.tls ? { port: 0, 'tls-port': this.port, 'tls-auth-clients': 'no' } : { port: this.port }),
      ...{ bind: '127.0.0.1', dir: this.directory, save: '' },
      ...{ appendonly: this.durable ? 'yes' : 'no', appendfsync: 'always' },
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(PROGRAM ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        if (/Ready to accept connections/.test(chunk.toString())) resolve();
      });
      child.once('exit', (code) => reject(new Error(`redis-server ended: ${code}`)));
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
