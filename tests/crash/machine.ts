/** @file A daemon that is started again whenever it is killed, what it says, and a client of it. Needs the built command line. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, readAddress, type RunView } from '../../daemon/index.js';

const CLI = join(process.cwd(), 'dist', 'cli.js');

/** Runs the command line to its end. @throws where it fails */
export async function latstream(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`latstream ${args.join(' ')}: ${String(code)}\n${said}`);
}

interface LogLine {
  readonly message: string;
  readonly level: string;
  readonly run?: string;
}

export class Machine {
  /** The last that was said of each run. */
  readonly said = new Map<string, string>();
  /** Complaints of the daemon, which should have none but of dead processes. */
  readonly errors: string[] = [];
  #child: ChildProcess | undefined;
  #over: Promise<unknown> = Promise.resolve();

  constructor(readonly state: string) {}

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  boot(): void {
    const args = [CLI, 'daemon', '--state', this.state, '--port', '0'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    createInterface({ input: child.stderr }).on('line', (line) => this.#hear(line));
    this.#child = child;
    this.#over = new Promise((resolve) => child.once('close', resolve));
  }

  /** Kills the daemon, and processes of runs at the same moment. */
  async kill(...also: readonly number[]): Promise<void> {
    for (const pid of [this.pid, ...also]) killProcess(pid);
    await this.#over;
  }

  async end(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await this.#over;
  }

  /** Runs of the daemon that was booted last, once it answers. */
  async runs(): Promise<RunView[]> {
    for (;;) {
      const runs = await (await this.client())?.runs().catch(() => undefined);
      if (runs) return runs;
      if (this.#child?.exitCode !== null) throw new Error(`the daemon ended: ${this.errors.join('\n')}`);
      await pause(20);
    }
  }

  /** Undefined until the daemon has its address on disk. */
  async client(): Promise<Client | undefined> {
    const address = await readAddress(this.state);
    return address?.pid === this.pid ? new Client(address.url, address.token) : undefined;
  }

  #hear(line: string): void {
    let said: LogLine;
    try {
      said = JSON.parse(line) as LogLine;
    } catch {
      this.errors.push(line);
      return;
    }
    if (said.run !== undefined) this.said.set(said.run, said.message);
    if (said.level === 'error') this.errors.push(line);
  }
}

/** @returns whether there was one */
export function killProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
