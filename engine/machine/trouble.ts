/** @file What went wrong with an attempt, in words. */
import type { Attempt } from './attempt.js';

/** Trouble in words. */
export interface Trouble {
  readonly because: string;
  readonly advice: readonly string[];
}

/** What an attempt that did not go well says of itself, in one line. */
export function told(attempt: Attempt): string {
  switch (attempt.end) {
    case 'ran':
      return `it computes wrongly: gradients differ by ${attempt.error.toExponential(1)} of the largest`;
    case 'failed':
      return firstLine(attempt.message);
    case 'died':
      return `the process that tried it was ended by ${attempt.how}`;
    case 'late':
      return `it hangs: nothing came back in ${attempt.seconds} s (${attempt.doing})`;
  }
}

/** The runtime's messages begin with the place in its sources. */
function firstLine(message: string): string {
  const line = message.split('\n').find((each) => each.trim() !== '') ?? 'no message';
  return line.replace(/^.*(was false\.|with error:)\s*/, '').slice(0, 300);
}
