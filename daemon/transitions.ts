/** @file What may become of a run in the queue: its states, what may happen to it, and what follows. Pure data; no imports. */

export const RUN_STATES = [
  'queued',
  'running',
  'stopping',
  'paused',
  'stopped',
  'done',
  'failed',
  'cancelled',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** What a run that is stopping will be. */
export const GOALS = ['queued', 'paused', 'stopped', 'cancelled'] as const;
export type Goal = (typeof GOALS)[number];

/** What people may ask for. */
export const RUN_COMMANDS = ['pause', 'resume', 'stop', 'cancel'] as const;
export type RunCommand = (typeof RUN_COMMANDS)[number];

/**
 * What may happen to a run: commands; `start` of its process; `leave`, the daemon is about to exit; how the process ended
 * (`save` everything, `finish`, `fail` for good, `die` of something that may pass, `halt` until somebody mends it);
 * `recover`, the daemon found it without one.
 */
export type RunEvent =
  RunCommand | 'start' | 'leave' | 'save' | 'finish' | 'fail' | 'die' | 'halt' | 'recover';

/** Where a run stands. */
export interface Standing {
  readonly state: RunState;
  /** Only while it is stopping. */
  readonly goal: Goal | null;
  /** How often its process died since its last new checkpoint. */
  readonly attempts: number;
}

/** The state that follows; `to …`: stopping, with that goal; `goal`: the goal that it had; `again`: queued while attempts are left. */
type Next = RunState | `to ${Goal}` | 'goal' | 'again';

/** What is not here may not happen. A run has a process exactly while it is `running` or `stopping`. */
export const TRANSITIONS: Readonly<Record<RunState, Readonly<Partial<Record<RunEvent, Next>>>>> = {
  queued: { start: 'running', pause: 'paused', stop: 'stopped', cancel: 'cancelled' },
  running: {
    pause: 'to paused',
    stop: 'to stopped',
    cancel: 'to cancelled',
    leave: 'to queued',
    save: 'queued',
    finish: 'done',
    fail: 'failed',
    die: 'again',
    halt: 'paused',
    recover: 'queued',
  },
  stopping: {
    pause: 'to paused',
    resume: 'to queued',
    stop: 'to stopped',
    cancel: 'to cancelled',
    leave: 'stopping',
    save: 'goal',
    finish: 'done',
    fail: 'failed',
    die: 'goal',
    halt: 'goal',
    recover: 'goal',
  },
  paused: { resume: 'queued', stop: 'stopped', cancel: 'cancelled' },
  stopped: { resume: 'queued', cancel: 'cancelled' },
  failed: { resume: 'queued', cancel: 'cancelled' },
  done: {},
  cancelled: {},
};

/** How a process may be gone, but for having finished. */
const ENDINGS: readonly RunEvent[] = ['save', 'fail', 'die', 'halt', 'recover'];

/** The states in which a run has a process. */
export const WITH_PROCESS: readonly RunState[] = ['running', 'stopping'];

/** The states that nothing follows. */
export const FINAL: readonly RunState[] = ['done', 'cancelled'];

/**
 * What follows.
 * @param most deaths without a new checkpoint between them, after which a run has failed
 * @returns undefined where this may not happen
 */
export function following(standing: Standing, event: RunEvent, most: number): Standing | undefined {
  // Cancelling is final: its process is being killed.
  if (standing.goal === 'cancelled' && event !== 'finish' && event !== 'leave')
    return ENDINGS.includes(event) ? at('cancelled', standing) : undefined;
  const next = TRANSITIONS[standing.state][event];
  if (next === undefined) return undefined;
  if (next === 'goal') return at(standing.goal ?? 'queued', standing);
  if (next === 'again') {
    const attempts = standing.attempts + 1;
    return { state: attempts >= most ? 'failed' : 'queued', goal: null, attempts };
  }
  if (next === 'stopping') return standing;
  if (next.startsWith('to ')) return { ...standing, state: 'stopping', goal: next.slice(3) as Goal };
  return { state: next as RunState, goal: null, attempts: event === 'resume' ? 0 : standing.attempts };
}

function at(state: RunState, { attempts }: Standing): Standing {
  return { state, goal: null, attempts };
}
