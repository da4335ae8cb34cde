/** @file A daemon without processes: a launcher whose runs end when the test says so. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULTS, type DaemonConfig } from '../../daemon/config.js';
import type { Launch, Launched, LaunchEnd, Listener } from '../../daemon/launch.js';
import type { Log } from '../../daemon/log.js';
import type { Settings } from '../../daemon/protocol.js';
import { Store } from '../../daemon/store.js';
import { Supervisor } from '../../daemon/supervisor.js';
import { RECIPES } from '../../recipes/index.js';

/** A whole one, for those who look at it. */
export const RECIPE = RECIPES['tiny']!();

/** A process that only pretends. */
export class FakeRun implements Launched {
  readonly page = 'http://127.0.0.1:1/';
  readonly pid = undefined;
  stopped = false;
  over = false;
  /** Since it began. */
  asked: Settings = {};
  readonly ended: Promise<LaunchEnd>;
  #end: (end: LaunchEnd) => void = () => undefined;

  constructor(
    readonly run: Launch,
    readonly listener: Listener,
  ) {
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  stop(): void {
    this.stopped = true;
  }

  kill(): void {
    this.end({ kind: 'die', reason: 'killed' });
  }

  change(settings: Settings): void {
    this.asked = { ...this.asked, ...settings };
  }

  end(end: LaunchEnd): void {
    this.over = true;
    this.#end(end);
  }

  checkpoint(sequence: number): void {
    this.listener.metric({ run: 'x', sequence, time: 0, step: sequence, kind: 'checkpoint', values: {} });
  }
}

/** A store on disk, and the daemons that have it one after the other. */
export class Machine {
  readonly #directory = mkdtempSync(join(tmpdir(), 'latstream-daemon-'));
  /** Every process that was ever started, by all daemons. */
  started: FakeRun[] = [];
  now = 1_000_000;
  store: Store;
  supervisor: Supervisor;

  constructor(
    private readonly config: Partial<DaemonConfig> = {},
    private readonly log: Log = () => undefined,
  ) {
    this.store = new Store(this.path);
    this.supervisor = this.#begun();
  }

  get path(): string {
    return join(this.#directory, 'daemon.db');
  }

  /** Processes that have not ended. */
  get alive(): FakeRun[] {
    return this.started.filter(({ over }) => !over);
  }

  /** The daemon and its processes are gone at once; then another daemon finds what is on disk. */
  crash(): void {
    this.started = this.started.filter(({ over }) => over);
    this.store.close();
    this.store = new Store(this.path);
    this.supervisor = this.#begun();
  }

  /** Lets ends of processes arrive. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }

  remove(): void {
    this.store.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #begun(): Supervisor {
    const supervisor = new Supervisor({
      store: this.store,
      runs: join(this.#directory, 'runs'),
      config: { ...DEFAULTS, retrySeconds: 0, ...this.config },
      now: () => this.now,
      log: this.log,
      launch: (run, listener) => {
        const fake = new FakeRun(run, listener);
        this.started.push(fake);
        return fake;
      },
    });
    supervisor.start();
    return supervisor;
  }
}
