/** @file A queue that is asked again in a second where it was asked too often. Knows no client. */
import { LatstreamError } from '../foundation/index.js';
import type { RunQueue } from './queue.js';

const SECOND = 1000;

/** @param wait for so many milliseconds */
export function patient(queue: RunQueue, wait: (millis: number) => Promise<unknown>): RunQueue {
  const again = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof LatstreamError) || error.code !== 'DAEMON_RATE') throw error;
        await wait(SECOND);
      }
    }
  };
  return {
    runs: () => again(() => queue.runs()),
    submit: (body) => again(() => queue.submit(body)),
    command: (id, command) => again(() => queue.command(id, command)),
    evaluations: (id) => again(() => queue.evaluations(id)),
  };
}
