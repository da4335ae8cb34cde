/** @file Many `kill -9` at random moments of a daemon and of its runs' processes; then all must be as if there had been none. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunView } from '../../daemon/index.js';
import { draws } from '../../foundation/index.js';
import { loadRecipe } from '../../recipes/index.js';
import { bitsOf, differing, isWriting, tornIn } from './evidence.js';
import { killProcess, latstream, Machine } from './machine.js';

export interface CampaignOptions {
  readonly kills: number;
  readonly seed: number;
  /** Of runs; all by default. */
  readonly kinds?: readonly Kind[];
  /** An empty directory. */
  readonly directory: string;
  readonly say: (text: string) => void;
}

export interface CampaignResult {
  /** By what was killed, and what it did then. */
  readonly kills: Readonly<Record<string, number>>;
  readonly runs: number;
  /** Runs whose submission was acknowledged, and that are not there or did not finish. */
  readonly lost: readonly string[];
  /** Checkpoints that were there by name and not whole, after any kill. */
  readonly torn: readonly string[];
  /** Files and metrics of finished runs that are not those of the twin that nobody killed. */
  readonly different: readonly string[];
  /** What the daemon complained of. */
  readonly errors: readonly string[];
}

/** Together they train, search, evaluate and save, some at every step. */
const KINDS = {
  arms: [],
  saving: [
    ...['steps=8', 'checkpoint.every=1', 'arms={"lat":{}}', 'evaluate.benign=null', 'evaluate.every=0'],
    ...['evaluate.requests=2', 'evaluate.latent=null', 'evaluate.prefill=[]'],
  ],
  pool: [
    'steps=4',
    'arms={"r2d2":{"attack":null,"pool":{"size":6,"tokens":3,"iterations":1,"candidates":4,"top":8,"resetEvery":2,"resetShare":0.5}}}',
    ...['checkpoint.every=1', 'evaluate.benign=null', 'evaluate.requests=4'],
  ],
} as const;
type Kind = keyof typeof KINDS;

/** Runs that are not over, at any time. */
const UNFINISHED = 3;
/** From a process's first word to its death. */
const LONGEST_LIFE_MILLISECONDS = 2500;

/** Kills, then lets everything finish, then looks. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  return new Campaign(options).whole();
}

class Campaign {
  readonly #machine: Machine;
  readonly #twins: Record<string, Readonly<Record<string, string>>> = {};
  /** Ids of what was acknowledged. */
  readonly #submitted = new Set<string>();
  readonly #kinds: readonly Kind[];
  readonly #kills: Record<string, number> = {};
  readonly #torn = new Set<string>();
  readonly #missing = new Set<string>();

  constructor(private readonly options: CampaignOptions) {
    this.#kinds = options.kinds ?? (Object.keys(KINDS) as Kind[]);
    const state = join(options.directory, 'state');
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(state, 'config.yaml'), 'retrySeconds: 0\nattempts: 1000\n');
    this.#machine = new Machine(state);
  }

  async whole(): Promise<CampaignResult> {
    const { kills, say, directory } = this.options;
    for (const kind of this.#kinds) {
      const twin = join(directory, `twin-${kind}`);
      const settings = KINDS[kind].flatMap((setting) => ['--set', setting]);
      await latstream(['train', 'tiny', ...settings, '--out', twin, '--port', '0']);
      this.#twins[kind] = await bitsOf(twin);
      say(`twin ${kind} has ended`);
    }
    this.#machine.boot();
    for (let kill = 1; kill <= kills; kill++) {
      const what = await this.#killOne(kill);
      this.#kills[what] = (this.#kills[what] ?? 0) + 1;
      say(`kill ${kill}: ${what}`);
    }
    const last = await this.#finished();
    await this.#machine.end();
    return this.#judged(last);
  }

  /** @returns what was killed while it did what */
  async #killOne(kill: number): Promise<string> {
    const draw = draws(this.options.seed, 'crash', kill);
    const [choice, delay] = [draw.uniform(), draw.uniform() * LONGEST_LIFE_MILLISECONDS];
    if (choice < 0.1) {
      // The daemon, anywhere in its own beginning.
      await this.#machine.kill();
      this.#machine.boot();
      await pause(delay / 2);
      await this.#rebooted();
      return 'daemon: starting';
    }
    await this.#fill();
    if (draw.uniform() < 0.9) await this.#atWork();
    await pause(delay);
    const [busy] = (await this.#machine.runs()).filter(({ live }) => live?.pid != null);
    const pid = busy?.live?.pid ?? 0;
    if (choice < 0.25) return this.#killedWriting(draw.uniform() * 60);
    const phase = busy ? phaseOf(this.#machine.said.get(busy.id) ?? '') : 'idle';
    if (choice < 0.45) {
      await this.#rebooted(pid);
      return `both: ${await this.#doing(busy, phase)}`;
    }
    if (choice < 0.6 || !busy) {
      await this.#rebooted();
      return `daemon: ${await this.#doing(busy, phase)}`;
    }
    const killed = killProcess(pid);
    const doing = await this.#doing(busy, phase);
    return killed ? `run: ${doing}` : this.#killOne(kill + 1e6);
  }

  /** Most of a short life is loading: waits for one that is past it. */
  async #atWork(): Promise<void> {
    for (;;) {
      const runs = (await this.#machine.runs()).filter(({ state }) => !OVER.has(state));
      const isAtWork = ({ id, live }: RunView): boolean =>
        live !== null && phaseOf(this.#machine.said.get(id) ?? '') !== 'loading';
      if (runs.length === 0 || runs.some(isAtWork)) return;
      await pause(20);
    }
  }

  /** Kills the daemon while it writes into its database. */
  async #killedWriting(delay: number): Promise<string> {
    const runs = await this.#machine.runs();
    const client = await this.#machine.client();
    const waiting = runs.filter(({ state }) => state === 'queued' || state === 'running');
    let over = false;
    const storm = async (): Promise<void> => {
      for (let at = 0; !over && client; at++)
        for (const { id } of waiting)
          await client.change(id, { priority: at % 7 }).catch(() => (over = true));
    };
    const writing = Promise.all([storm(), this.#submit()]);
    await pause(delay);
    await this.#rebooted();
    over = true;
    await writing;
    return 'daemon: writing its database';
  }

  async #rebooted(...also: readonly number[]): Promise<void> {
    await this.#machine.kill(...also);
    this.#machine.boot();
    const there = new Set((await this.#machine.runs()).map(({ id }) => id));
    for (const id of this.#submitted) if (!there.has(id)) this.#missing.add(id);
  }

  /** What a run did when it or its daemon died: a phase, unless it was saving. Nothing of it is torn. */
  async #doing(run: RunView | undefined, phase: string): Promise<string> {
    if (!run) return phase;
    const saving = await isWriting(run.directory);
    (await tornIn(run.directory)).forEach((each) => this.#torn.add(each));
    return saving ? 'saving' : phase;
  }

  async #fill(): Promise<void> {
    const open = (await this.#machine.runs()).filter(({ state }) => !OVER.has(state)).length;
    for (let at = open; at < UNFINISHED; at++) await this.#submit();
  }

  async #submit(): Promise<void> {
    const kind = this.#kinds[this.#submitted.size % this.#kinds.length] as Kind;
    const recipe = await loadRecipe('tiny', { set: KINDS[kind] });
    const client = await this.#machine.client();
    const run = await client?.submit({ recipe, name: kind }).catch(() => undefined);
    if (run) this.#submitted.add(run.id);
  }

  async #finished(): Promise<RunView[]> {
    for (;;) {
      const runs = await this.#machine.runs();
      if (runs.every(({ state }) => OVER.has(state))) return runs;
      await pause(200);
    }
  }

  /** Runs whose submission was not acknowledged, and that are there, are judged, too. */
  async #judged(runs: readonly RunView[]): Promise<CampaignResult> {
    const different: string[] = [];
    for (const { name, state, directory } of runs) {
      (await tornIn(directory)).forEach((each) => this.#torn.add(each));
      if (state !== 'done') continue;
      const names = differing(await bitsOf(directory), this.#twins[name] ?? {});
      different.push(...names.map((each) => join(directory, each)));
    }
    const lost = runs.filter(({ state }) => state !== 'done').map(({ id, state }) => `${id}: ${state}`);
    return {
      kills: this.#kills,
      runs: runs.length,
      lost: [...this.#missing, ...lost],
      torn: [...this.#torn],
      different,
      errors: this.#machine.errors,
    };
  }
}

const OVER = new Set<string>(['done', 'failed', 'stopped', 'cancelled']);

/** By the last that was said of it. */
function phaseOf(said: string): string {
  if (said.startsWith('evaluating')) return 'evaluating';
  return /^(training|resuming)/.test(said) ? 'training' : 'loading';
}
