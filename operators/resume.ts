/** @file What a run goes on from: its newest whole checkpoint, put back into the stages that have a state. */
import type { Cursor } from '../datasets/index.js';
import { complain } from '../foundation/index.js';
import type { CheckpointStore } from './checkpoint.js';
import type { Defender } from './defend/defender.js';
import { NO_PASSES, type Passes } from './passes.js';
import type { Pool } from './suffix/pool.js';

/** What of a run has a state, and what it must have in common with its checkpoint. */
export interface Resumable {
  readonly seed: number;
  /** Gives searched cases in place of a batch's pairs; null for the pairs themselves. */
  readonly pool: Pool | null;
  readonly defender: Defender;
  readonly checkpoints: CheckpointStore;
  /** What the bits of a result depend on; a checkpoint of another one is resumed with a warning. */
  readonly fingerprint: Readonly<Record<string, string | number>>;
  readonly note: (text: string) => void;
}

/** Where a run begins. */
export interface Start {
  readonly step: number;
  readonly cursor: Cursor | undefined;
  readonly unevaluated: boolean;
  /** Unknown where the checkpoint does not know: half a count is none. */
  readonly passes: Passes | undefined;
}

/** Where the newest whole checkpoint left the run, or its beginning. @throws CHECKPOINT_SEED */
export async function resume(parts: Resumable): Promise<Start> {
  const found = await parts.checkpoints.latest();
  if (!found) return { step: 0, cursor: undefined, unevaluated: false, passes: NO_PASSES };
  if (found.seed !== parts.seed)
    complain({
      code: 'CHECKPOINT_SEED',
      owner: `checkpoint of step ${found.step}`,
      expected: `seed ${parts.seed}, the run's`,
      got: String(found.seed),
      hint: 'resume with the recipe that the run began with',
    });
  const differing = Object.keys({ ...parts.fingerprint, ...found.fingerprint }).filter(
    (key) => parts.fingerprint[key] !== found.fingerprint[key],
  );
  if (differing.length > 0)
    parts.note(
      `the checkpoint was made with ${differing.map((key) => `${key} ${String(found.fingerprint[key])}`).join(', ')}, ` +
        `this is ${differing.map((key) => `${key} ${String(parts.fingerprint[key])}`).join(', ')}: ` +
        'training goes on, but its result will not be bit-identical to that of a run that was never interrupted',
    );
  parts.defender.restore(found);
  parts.pool?.restore(found.pool ?? []);
  parts.note(`resuming after step ${found.step}`);
  const { step, unevaluated = false, passes } = found;
  return { step, cursor: found.cursor as Cursor, unevaluated, passes };
}
