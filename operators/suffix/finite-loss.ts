/** @file Losses of searches for suffixes are numbers, or the search ends. */
import { complain } from '../../foundation/index.js';

/** @throws LOSS_NOT_FINITE */
export function requireFiniteLoss(loss: number, owner: string, hint: string): void {
  if (!Number.isFinite(loss))
    complain({
      code: 'LOSS_NOT_FINITE',
      owner,
      expected: 'finite losses of compliant answers',
      got: String(loss),
      hint,
    });
}
