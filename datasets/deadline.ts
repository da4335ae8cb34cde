/** @file A time limit on synchronous work, such as a hostile template or pattern. Knows nothing about what the work is. */
import { createContext, Script } from 'node:vm';
import { LatstreamError } from '../foundation/index.js';

/**
 * Runs synchronous work and ends it, wherever it is (loops and regular expressions included), once time is up.
 *
 * Only V8's own watchdog can interrupt the thread that would have to look at a clock. It starts a thread: about 0.1 ms.
 * @throws what the work throws; {@link TimeUp}
 */
export function withinTime<T>(milliseconds: number, work: () => T): T {
  const outer = CONTEXT.work;
  CONTEXT.work = work;
  try {
    return CALL.runInContext(CONTEXT, { timeout: milliseconds }) as T;
  } catch (error) {
    // It comes from another realm, so that it is no instance of this one's `Error`.
    if ((error as { code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new TimeUp(milliseconds);
    throw error;
  } finally {
    CONTEXT.work = outer;
  }
}

/** Work that was ended. */
export class TimeUp extends LatstreamError {
  constructor(milliseconds: number) {
    super({
      code: 'TOKENIZER_TIME',
      owner: 'tokenizer and chat template',
      expected: `an answer within ${milliseconds / 1000} s`,
      got: 'none',
      hint: 'shorten the text, or look at loops in the template and at patterns in the tokenizer',
    });
  }
}

const CONTEXT: { work: (() => unknown) | undefined } = { work: undefined };
createContext(CONTEXT);
const CALL = new Script('work()');
