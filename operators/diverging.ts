/** @file Numbers that are none, under one name, whichever stage saw them first; and never in a checkpoint. */
import { complain, LatstreamError } from '../foundation/index.js';
import type { DefenderState } from './defend/defender.js';

/** Losses that are no numbers end a run under one name, whichever stage saw them first. */
export async function diverging<T>(step: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LatstreamError) || error.code !== 'LOSS_NOT_FINITE') throw error;
    return complain(
      {
        ...error.complaint,
        code: 'TRAIN_LOSS_NOT_FINITE',
        owner: `training, step ${step}, ${error.complaint.owner}`,
        hint: 'the last good checkpoint is kept; lower defend.learningRate or attack.learningRate and start anew',
      },
      { cause: error },
    );
  }
}

/** A checkpoint of broken weights would displace a good one. */
export function refuseNonFinite(step: number, tensors: DefenderState['tensors']): void {
  for (const [name, { data }] of Object.entries(tensors))
    if (!data.every(Number.isFinite))
      complain({
        code: 'TRAIN_LOSS_NOT_FINITE',
        owner: `training, step ${step}, ${name}`,
        expected: 'finite numbers',
        got: String(data.find((value) => !Number.isFinite(value))),
        hint: 'the last good checkpoint is kept; lower defend.learningRate and start anew',
      });
}
