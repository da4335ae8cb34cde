/** @file A run of the queue as clients see it. */
import type { Live } from './pace.js';
import type { RunView, Settings } from './protocol.js';
import type { StoredRun } from './stored-run.js';
import { following, RUN_COMMANDS } from './transitions.js';

/** @param worker the machine that has it, or had it last, where there may be several */
export function viewOf(run: StoredRun, live: Live | null, worker: string | null = null): RunView {
  const { id, name, directory, priority, state, goal, reason, attempts, created, started, ended } = run;
  const time = (millis: number | null): string | null =>
    millis === null ? null : new Date(millis).toISOString();
  return {
    ...{ id, name, directory, worker, priority, state, goal, reason, attempts },
    commands: RUN_COMMANDS.filter((command) => following(run, command, 1) !== undefined),
    created: time(created),
    started: time(started),
    ended: time(ended),
    retry: time(state === 'queued' && run.retry > 0 ? run.retry : null),
    labels: JSON.parse(run.labels) as RunView['labels'],
    asked: JSON.parse(run.settings) as Settings,
    live,
  };
}
