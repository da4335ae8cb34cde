/** @file The figures of an update by name. */
import type { Coefficients } from '../config.js';
import type { DefendTrace } from './defender.js';
import { notFinite } from './errors.js';
import type { DefenceLoss } from './losses.js';

/**
 * @param figures the losses in the order of their coefficients, then the gradient's norm. @param update its number, for messages.
 * @throws LOSS_NOT_FINITE
 */
export function readUpdate(
  figures: readonly number[],
  coefficients: Coefficients<DefenceLoss>,
  update: number,
): Pick<DefendTrace, 'loss' | 'losses' | 'gradientNorm'> {
  const names = [...coefficients.keys()];
  const losses = Object.fromEntries(names.map((name, at) => [name, figures[at] as number]));
  const loss = names.reduce((sum, name) => sum + (coefficients.get(name) ?? 0) * (losses[name] as number), 0);
  const gradientNorm = figures.at(-1) as number;
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) notFinite(update, loss, gradientNorm);
  return { loss, losses, gradientNorm };
}
