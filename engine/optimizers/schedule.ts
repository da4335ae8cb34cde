/** @file Learning-rate schedules, computed on the host. No tensors. */

/** A schedule; `warmup` is a number of steps over which the rate rises linearly from 0. */
export interface ScheduleConfig {
  readonly kind: 'constant' | 'cosine' | 'linear';
  readonly warmup: number;
}

/**
 * The factor on the base rate at `step` (0 is the first) of `steps`: transformers' `get_{constant,cosine,linear}_schedule_with_warmup`.
 * After `steps` it stays at its last value.
 */
export function scheduleFactor(step: number, steps: number, { kind, warmup }: ScheduleConfig): number {
  if (step < warmup) return step / Math.max(1, warmup);
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  switch (kind) {
    case 'constant':
      return 1;
    case 'cosine':
      return 0.5 * (1 + Math.cos(Math.PI * progress));
    case 'linear':
      return 1 - progress;
  }
  return kind satisfies never;
}
