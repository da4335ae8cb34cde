/** @file A sweep and the queue of a daemon: which of its cells are there, which are missing, and how they are getting on. */
import type { Client, EvaluationsView, RunView } from '../daemon/index.js';
import { LatstreamError } from '../foundation/index.js';
import { labelsOf } from './labels.js';
import { runName, type Plan, type Planned } from './plan.js';

/** What of a daemon's client a sweep needs. */
export type RunQueue = Pick<Client, 'runs' | 'submit' | 'command' | 'evaluations'>;

/** A cell as it stands. */
export interface Standing extends Planned {
  /** Missing where it was not submitted. */
  readonly run?: RunView | undefined;
  /** What has been evaluated of it so far. */
  readonly models: EvaluationsView['models'];
  /** Why that cannot be read. */
  readonly damage?: string | undefined;
}

export interface FillOptions {
  /** Has cells run again that failed, or were paused, stopped or cancelled. */
  readonly retry: boolean;
  readonly priority: number;
  /** Hears of every cell that was submitted or resumed. */
  readonly filled?: (cell: Planned, how: 'submitted' | 'resumed') => void;
}

/** Runs that come to an end without anybody's help. */
const GOING: readonly RunView['state'][] = ['queued', 'running', 'stopping'];
const RESUMED: readonly RunView['state'][] = ['failed', 'paused', 'stopped'];

export function isGoing({ run }: Pick<Standing, 'run'>): boolean {
  return run !== undefined && GOING.includes(run.state);
}

/**
 * Submits the cells that the queue does not have. What was submitted stays found, whenever this is interrupted: a cell's key is
 * its own, so that nobody submits it twice, side by side neither.
 * @throws what the client throws
 */
export async function fill(
  queue: RunQueue,
  plan: Plan,
  { retry, priority, filled }: FillOptions,
): Promise<void> {
  const found = runsByCell(await queue.runs(), plan.name);
  for (const cell of plan.cells) {
    const runs = found.get(cell.digest) ?? [];
    const last = runs.at(-1);
    const again = last?.state === 'cancelled' && retry;
    if (last === undefined || again) {
      const { recipe, digest } = cell;
      const key = `sweep ${plan.name} ${digest}${again ? ` ${runs.length}` : ''}`;
      const known = { labels: labelsOf(plan.name, cell), key };
      await queue.submit({ recipe, name: runName(plan.name, cell), priority, ...known });
      filled?.(cell, 'submitted');
    } else if (retry && RESUMED.includes(last.state)) {
      await queue.command(last.id, 'resume');
      filled?.(cell, 'resumed');
    }
  }
}

/** Follows the cells of a plan; keeps what it has read of those that are over. */
export class Follower {
  readonly #known = new Map<string, Pick<Standing, 'models' | 'damage'> & { readonly at: string }>();

  constructor(private readonly plan: Plan) {}

  /** Every cell as it stands now. @throws what the client throws */
  async look(queue: RunQueue): Promise<Standing[]> {
    const found = runsByCell(await queue.runs(), this.plan.name);
    const all: Standing[] = [];
    for (const cell of this.plan.cells) {
      const run = found.get(cell.digest)?.at(-1);
      all.push({ ...cell, run, ...(run ? await this.#evaluated(queue, run) : { models: [] }) });
    }
    return all;
  }

  /** Read again when the run has come to another state or part. */
  async #evaluated(
    queue: RunQueue,
    { id, state, started, attempts, live }: RunView,
  ): Promise<Pick<Standing, 'models' | 'damage'>> {
    if (started === null) return { models: [] };
    const at = [state, attempts, live?.progress?.part ?? ''].join(' ');
    const known = this.#known.get(id);
    if (known?.at === at) return known;
    const read = await queue.evaluations(id).catch(damageIn);
    this.#known.set(id, { at, ...read });
    return read;
  }
}

/** One run's damage must not keep the others from being shown. */
export function damageIn(error: unknown): Pick<Standing, 'models' | 'damage'> {
  if (!(error instanceof LatstreamError) || error.code !== 'DAEMON_RECORD') throw error;
  return { models: [], damage: error.message };
}

/** By cell, the runs of a sweep in the order in which they were submitted. */
export function runsByCell(runs: readonly RunView[], name: string): ReadonlyMap<string, readonly RunView[]> {
  const found = new Map<string, RunView[]>();
  for (const run of runs) {
    const { sweep, cell = '' } = run.labels;
    if (sweep === name) found.set(cell, [...(found.get(cell) ?? []), run]);
  }
  return found;
}
