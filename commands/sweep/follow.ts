/** @file Follows a sweep until its last cell is over; the daemon may go and come back meanwhile. */
import { setTimeout as pause } from 'node:timers/promises';
import { LatstreamError } from '../../foundation/index.js';
import { Follower, isGoing, type Plan, type RunQueue, type Standing } from '../../sweeps/index.js';
import type { SweepView } from './view.js';

/** Between looks; a long list takes the daemon longer to make. */
const [LOOK_MILLISECONDS, LONG_LOOK_MILLISECONDS, LONG] = [1000, 4000, 200];
/** What a daemon that is being restarted says, or its successor to the token of before. */
const PASSING: readonly string[] = ['DAEMON_UNREACHABLE', 'DAEMON_LEAVING', 'DAEMON_UNAUTHORIZED'];

/**
 * @param connect finds the daemon, anew after it has been away.
 * @param wait milliseconds between looks.
 * @returns the cells as they stood last; interrupted by SIGINT or SIGTERM the runs go on
 */
export async function followed(
  plan: Plan,
  connect: () => Promise<RunQueue>,
  view: SweepView,
  wait = plan.cells.length > LONG ? LONG_LOOK_MILLISECONDS : LOOK_MILLISECONDS,
): Promise<{ readonly standings: readonly Standing[]; readonly interrupted: boolean }> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  const follower = new Follower(plan);
  let queue: RunQueue | undefined;
  let standings: readonly Standing[] = plan.cells.map((cell) => ({ ...cell, models: [] }));
  try {
    for (;;) {
      try {
        queue ??= await connect();
        standings = await follower.look(queue);
        view.see(standings);
        if (!standings.some(isGoing)) return { standings, interrupted: false };
      } catch (error) {
        if (!(error instanceof LatstreamError) || !PASSING.includes(error.code)) throw error;
        if (queue) view.note(`${error.message}; waiting for it`);
        queue = undefined;
      }
      await pause(wait, undefined, { signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted) return { standings, interrupted: true };
    }
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
    view.close();
  }
}
