/** @file Runs seen through their daemon: the table of all of them, and of one everything. Asks again and again. */
import type { Client, RunView } from '../daemon/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { metricFrom } from '../streams/index.js';
import { ASKABLE, type Askable, type Ending, type Source, type WatchEvent } from './event.js';
import { Patience, rest } from './patience.js';

const INTERVAL_MILLISECONDS = 1000;

/** What a daemon that restarts may say or not say for a while. */
const PASSING = new Set([
  'DAEMON_RATE',
  'DAEMON_UNREACHABLE',
  'DAEMON_LEAVING',
  'DAEMON_UNAUTHORIZED',
  'DAEMON_PROTOCOL',
]);

export interface DaemonRunsOptions {
  /** Finds the daemon: once, and again where it was lost, since a daemon that comes back may be elsewhere. */
  readonly connect: () => Promise<Client>;
  /** For people. */
  readonly from: string;
  /** The run that is watched to its end; undefined: all of them, until nobody looks. */
  readonly run: string | undefined;
  /** Whether the metrics of one of all the runs are of interest. */
  readonly choosing: boolean;
  /** Seconds for which the daemon may be out of reach once it was seen. */
  readonly patience: number;
}

export class DaemonRuns implements Source {
  #client: Client | undefined;
  #runs: readonly RunView[] = [];
  #chosen: string | undefined;
  /** What was said of each run. */
  readonly #said = new Map<string, string>();
  #shown: string | undefined;
  #after = '';
  /** Ends a wait. */
  #moved = new AbortController();

  constructor(private readonly options: DaemonRunsOptions) {
    this.#chosen = options.run;
  }

  async *events(signal: AbortSignal): AsyncGenerator<WatchEvent, Ending> {
    const patience = new Patience(this.options.patience);
    let lost = false;
    while (!signal.aborted) {
      try {
        this.#client ??= await this.options.connect();
        this.#runs = await this.#client.runs();
        if (lost) yield { type: 'link', up: true, detail: this.options.from };
        lost = false;
        patience.refill();
        const ending = yield* this.#seen(this.#client);
        if (ending) return ending;
      } catch (error) {
        const code = error instanceof LatstreamError ? error.code : '';
        if (this.#shown === undefined || !PASSING.has(code) || patience.exhausted) throw error;
        this.#client = undefined;
        lost = true;
        yield { type: 'link', up: false, detail: (error as LatstreamError).complaint.got };
        await patience.wait(signal);
        continue;
      }
      this.#moved = new AbortController();
      await rest(INTERVAL_MILLISECONDS, AbortSignal.any([signal, this.#moved.signal]));
    }
    return { kind: 'left' };
  }

  async ask(what: Askable): Promise<string> {
    const id = this.#chosen;
    if (id === undefined || !this.#client) return 'no run';
    try {
      const { state, goal } = await this.#client.command(id, what);
      this.#moved.abort();
      return `${id}: ${state}${goal === null ? '' : `, to be ${goal}`}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  move(by: 1 | -1): void {
    if (this.options.run !== undefined) return;
    const at = this.#runs.findIndex(({ id }) => id === this.#chosen);
    this.#chosen = this.#runs[Math.max(0, Math.min(this.#runs.length - 1, at + by))]?.id ?? this.#chosen;
    this.#moved.abort();
  }

  /** What this look has shown. @returns how the run that is watched has ended */
  async *#seen(client: Client): AsyncGenerator<WatchEvent, Ending | undefined> {
    const { run, choosing } = this.options;
    if (run !== undefined && !this.#runs.some(({ id }) => id === run)) unknown(run);
    if (choosing) this.#chosen ??= usualChoice(this.#runs);
    yield { type: 'runs', runs: this.#runs, chosen: this.#chosen ?? null };
    const chosen = this.#runs.find(({ id }) => id === this.#chosen);
    const name = chosen ? `${chosen.name} ${chosen.id}` : '';
    if (this.#shown !== name) {
      [this.#shown, this.#after] = [name, ''];
      this.#said.delete(chosen?.id ?? ''); // whoever begins to look at it has not heard it
      yield { type: 'run', run: name, from: this.options.from, may: ASKABLE };
    }
    if (chosen) yield* this.#metrics(client, chosen.id, name); // before the word that it has ended
    for (const each of this.#runs) if (run === undefined || each === chosen) yield* this.#changes(each);
    return run === undefined || !chosen ? undefined : endingOf(chosen);
  }

  *#changes(run: RunView): Generator<WatchEvent> {
    const { id, name, goal, reason, live } = run;
    const state = goal === null ? run.state : `${run.state} → ${goal}`;
    const now = JSON.stringify([state, reason]);
    if (this.#said.get(id) !== now)
      yield { type: 'state', run: `${name} ${id}`, state, detail: reason ?? live?.page ?? null };
    this.#said.set(id, now);
    if (!live?.progress || id === this.#chosen) return;
    const { part, step } = live.progress;
    const where = JSON.stringify([part, step]);
    if (this.#said.get(`${id} at`) !== where)
      yield { type: 'progress', run: `${name} ${id}`, progress: live.progress };
    this.#said.set(`${id} at`, where);
  }

  async *#metrics(client: Client, id: string, name: string): AsyncGenerator<WatchEvent> {
    for (let more = true; more;) {
      const page = await client.metrics(id, this.#after);
      // A resume has dropped what came after its checkpoint.
      if (page.fresh && this.#after !== '')
        yield { type: 'run', run: name, from: this.options.from, may: ASKABLE };
      for (const each of page.metrics) {
        const metric = metricFrom(each);
        if (metric) yield { type: 'metric', ...metric };
      }
      more = page.more && page.next !== this.#after;
      this.#after = page.next;
    }
  }
}

/** One that runs, or else the youngest. */
function usualChoice(runs: readonly RunView[]): string | undefined {
  return (runs.find(({ live }) => live !== null) ?? runs.at(-1))?.id;
}

function endingOf({ id, name, state, reason }: RunView): Ending | undefined {
  const run = `${name} ${id}`;
  if (state === 'done') return { kind: 'done' };
  if (state === 'failed') return { kind: 'failed', run, reason: reason ?? 'no reason given' };
  if (state !== 'stopped' && state !== 'cancelled') return undefined;
  return { kind: 'stopped', run, reason: reason ?? state };
}

function unknown(run: string): never {
  return complain({
    code: 'WATCH_UNKNOWN',
    owner: 'watch',
    expected: 'the address of a live page, the id of a run of the daemon, or the directory of a run',
    got: run.slice(0, 200),
    hint: 'latstream runs lists the ids',
  });
}
