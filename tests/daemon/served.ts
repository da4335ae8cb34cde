/** @file The daemon's API and page on a port, every message held to its schema, over runs whose processes only pretend. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newIdentity } from '../../daemon/identity.js';
import { LocalQueue } from '../../daemon/local-queue.js';
import { pageRoutes } from '../../daemon/page.js';
import { figuresOf } from '../../daemon/prometheus.js';
import { recordRoutes } from '../../daemon/records.js';
import { routesOf } from '../../daemon/routes.js';
import { startServer, type ControlServer, type ServerParts } from '../../daemon/server.js';
import type { StoredRun } from '../../daemon/stored-run.js';
import { Tail } from '../../daemon/tail.js';
import type { Metric } from '../../streams/index.js';
import { sweepRoutes } from '../../sweeps/routes.js';
import { held } from './messages.js';
import { Machine, RECIPE, type FakeRun } from './helpers.js';

export class Served {
  readonly token = 'a-token-of-sixteen';
  readonly viewToken = 'a-view-token-of-more';
  /** Which messages of the protocol were answered. */
  readonly asked = new Set<string>();
  #server: ControlServer | undefined;

  private constructor(
    readonly machine: Machine,
    private readonly tail: Tail,
    private readonly parts: Partial<ServerParts>,
  ) {}

  static async start(parts: Partial<ServerParts> = {}): Promise<Served> {
    const tail = new Tail(() => undefined);
    const served = new Served(new Machine({ parallel: 2, attempts: 1 }, tail.hear), tail, parts);
    await served.open();
    return served;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  async open(port = 0): Promise<void> {
    const { supervisor, store } = this.machine;
    const queue = new LocalQueue({ supervisor, store, tail: this.tail, identity: newIdentity('0.1.0') });
    this.#server = await startServer({
      ...{ host: '127.0.0.1', port, allowedHosts: [], log: () => undefined, requestsPerSecond: 1e6 },
      tokens: { control: this.token, view: this.viewToken },
      routes: held(
        [
          ...routesOf(queue, figuresOf(queue), () => queue.ready),
          ...recordRoutes(queue),
          ...sweepRoutes(queue),
          ...(await pageRoutes()),
        ],
        (message) => this.asked.add(message),
      ),
      ...this.parts,
    });
  }

  /** @returns the port, for {@link open} */
  async away(): Promise<number> {
    const port = Number(new URL(this.url).port);
    await this.#server?.close();
    return port;
  }

  /** A run with a record. */
  submit(name: string, metrics: readonly Metric[] = []): StoredRun {
    this.machine.now += 1000;
    const run = this.machine.supervisor.submit(name, RECIPE, 0);
    mkdirSync(run.directory, { recursive: true });
    const lines = metrics.map((metric) => `${JSON.stringify(metric)}\n`);
    writeFileSync(join(run.directory, 'metrics.ndjson'), lines.join(''));
    return run;
  }

  /** The process of a run. */
  process(id: string): FakeRun {
    const found = this.machine.alive.find(({ run }) => run.id === id);
    if (!found) throw new Error(`${id} has no process`);
    return found;
  }

  async close(): Promise<void> {
    await this.away();
    this.machine.remove();
  }
}
