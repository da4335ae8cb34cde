/** @file A run as its queue keeps it, and what becomes of it when something happens. Pure; knows no database. */
import type { Settings } from './protocol.js';
import { refuseEvent } from './run-errors.js';
import { FINAL, following, WITH_PROCESS, type RunEvent, type Standing } from './transitions.js';

/** A run as the queue knows it. Times in milliseconds since the epoch. */
export interface StoredRun extends Standing {
  /** 1, 2, … by submission. */
  readonly sequence: number;
  readonly id: string;
  readonly name: string;
  readonly directory: string;
  /** The greater goes first. */
  readonly priority: number;
  /** Why it is where it is, for people. */
  readonly reason: string | null;
  /** Sequence number of its furthest checkpoint's metric; −1 for none. */
  readonly checkpointed: number;
  /** Not to be started before. */
  readonly retry: number;
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  /** Settings that were asked for and not yet taken, as JSON. */
  readonly settings: string;
  /** What its client tells it apart by, as JSON. */
  readonly labels: string;
}

/** What comes with an event. */
export interface Happening {
  readonly now: number;
  /** See `following`. */
  readonly most: number;
  readonly reason?: string | null;
  readonly retry?: number;
}

/** The run after an event. @throws DAEMON_RUN_STATE where this may not happen to it */
export function moved<R extends StoredRun>(
  run: R,
  event: RunEvent,
  { now, most, reason = null, retry = 0 }: Happening,
): R {
  const next = following(run, event, most) ?? refuseEvent(run, event);
  const { state, goal, attempts } = next;
  const started = event === 'start' ? (run.started ?? now) : run.started;
  const over = !['queued', ...WITH_PROCESS].includes(state);
  return { ...run, state, goal, attempts, reason, retry, started, ended: over ? now : null };
}

/** What is asked for of a run with these settings, too, as JSON. @throws DAEMON_RUN_STATE where it is over */
export function asking(run: StoredRun, settings: Settings): string {
  if (FINAL.includes(run.state)) refuseEvent(run, 'a change of settings');
  return JSON.stringify({ ...(JSON.parse(run.settings) as Settings), ...settings });
}

/** What is still asked for when these were taken, as JSON: also what was asked for otherwise meanwhile. */
export function untaken(run: StoredRun, taken: Settings): string {
  const asked = Object.entries(JSON.parse(run.settings) as Settings);
  return JSON.stringify(
    Object.fromEntries(asked.filter(([name, value]) => taken[name as keyof Settings] !== value)),
  );
}
