/** @file What happened to a run: kept in its log, and told to webhooks. Pure but for the clock and random ids. */
import { randomUUID } from 'node:crypto';
import { hookEventsOf, type RunEvent, type RunState, type Telling, type Threshold } from '../daemon/index.js';
import type { FleetRun } from './run.js';

/** Something that happened to a run, and what the run was then. */
export interface Happened {
  /** In milliseconds since the epoch. */
  readonly now: number;
  readonly event: RunEvent | 'submit';
  readonly run: FleetRun;
}

export function happened(run: FleetRun, event: RunEvent | 'submit', now = Date.now()): Happened {
  return { now, event, run };
}

/** What the log keeps of it. */
export interface LoggedEvent {
  /** UTC. */
  readonly time: string;
  readonly event: string;
  readonly state: RunState;
  readonly reason: string | null;
}

export function loggedEvent({ now, event, run: { state, reason } }: Happened): LoggedEvent {
  return { time: new Date(now).toISOString(), event, state, reason };
}

/** What webhooks are told, as the stream of the queue has it. */
export interface News extends Telling {
  /** Another one for each. */
  readonly id: string;
  /** The one address that it is for, see `groupOf`; undefined: all. */
  readonly to?: string;
  /** The one that was crossed, as the worker knows it. */
  readonly threshold?: Threshold;
}

/** @param before what the run was before all of it */
export function newsOf(before: FleetRun, all: readonly Happened[]): News[] {
  return all.flatMap(({ event, run, now }, at) => {
    const was = all[at - 1]?.run ?? before;
    if (event === 'submit') return [];
    return hookEventsOf({ before: was, run, event }).map((told) => newsAbout({ event: told, run, now }));
  });
}

export function newsAbout({ run, ...rest }: Telling): News {
  const { id, name, directory, worker = null, priority, state, reason, attempts, labels } = run;
  return {
    id: randomUUID(),
    ...rest,
    run: { id, name, directory, worker, priority, state, reason, attempts, labels },
  };
}
