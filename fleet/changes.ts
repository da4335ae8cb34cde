/** @file What a worker makes of a run's record when it takes it and when its process has ended. Pure. */
import {
  LONGEST_WAIT_SECONDS,
  moved,
  WITH_PROCESS,
  type DaemonConfig,
  type LaunchEnd,
} from '../daemon/index.js';
import { happened } from './happened.js';
import type { Change } from './ledger.js';
import type { FleetRun } from './run.js';

/** Who takes it, and where it will be. */
export interface Taker {
  readonly node: string;
  readonly worker: string;
  readonly directory: string;
  /** The job that stands for the run, as far as the taker knows. */
  readonly job: string;
}

/**
 * A run that is taken: of the queue, or of a worker that is not heard of any more, which counts as a death.
 * @returns undefined where the job does not stand for the run any more; a change that is no taking where nothing is left to be done
 */
export function taking(
  run: FleetRun,
  taker: Taker,
  { attempts: most }: DaemonConfig,
  now: number,
): Change | undefined {
  if (run.job !== taker.job) return undefined;
  const { node, worker, directory } = taker;
  const left = WITH_PROCESS.includes(run.state)
    ? moved(run, 'die', { now, most, reason: `its worker ${run.worker ?? ''} was lost` })
    : run;
  const events = left === run ? [] : [happened(left, 'die')];
  if (left.state !== 'queued') return { run: { ...left, job: null }, events };
  const next = { ...moved(left, 'start', { now, most }), node, worker, directory };
  return { run: next, events: [...events, happened(next, 'start')], meaning: 'take' };
}

/** A run whose process has ended. @param job what stands for it if it is queued again */
export function ending(
  run: FleetRun,
  end: LaunchEnd,
  job: string,
  config: DaemonConfig,
  now: number,
): Change {
  const seconds = Math.min(LONGEST_WAIT_SECONDS, config.retrySeconds * 2 ** run.attempts);
  const next = moved(run, end.kind, {
    ...{ now, most: config.attempts, reason: 'reason' in end ? end.reason : null },
    ...(end.kind === 'die' && { retry: now + 1000 * seconds }),
  });
  return {
    run: { ...next, job: next.state === 'queued' ? job : null },
    events: [happened(next, end.kind)],
    meaning: end.kind === 'finish' ? 'finish' : '',
  };
}
