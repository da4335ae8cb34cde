/** @file Greedy tokens by full recomputation: what cached generation must equal. */
import {
  hiddenStates,
  int32,
  logitsAt,
  perturbing,
  type HostTensor,
  type Model,
  type Tensor,
  type TokenBatch,
} from '../../../engine/index.js';
import { batchOf, evaluate } from './tiny.js';

/** A perturbation of one row: δ [1,P,D] by site and a slot per position. */
export interface RowPerturbation {
  readonly deltas: Record<string, HostTensor>;
  readonly slots: readonly number[];
}

/** Greedy tokens by running the whole sequence anew for every token. */
export async function recomputed(
  { config, parameters }: Model,
  prompt: readonly number[],
  count: number,
  { deltas, slots }: RowPerturbation = { deltas: {}, slots: [] },
): Promise<number[]> {
  const ids = [...prompt];
  while (ids.length < prompt.length + count) {
    const args = {
      parameters,
      deltas,
      batch: batchOf([ids.map((id, position) => [id, position, 1] as const)]),
      slots: int32(
        [1, ids.length],
        ids.map((_, position) => slots[position] ?? -1),
      ),
    };
    const { logits } = await evaluate(
      args,
      (tensors: {
        parameters: Record<string, Tensor>;
        deltas: Record<string, Tensor>;
        batch: TokenBatch;
        slots: Tensor;
      }) => ({
        logits: logitsAt(
          config,
          tensors.parameters,
          hiddenStates(
            { config },
            { parameters: tensors.parameters },
            tensors.batch,
            perturbing(tensors.deltas, tensors.slots),
          ),
        ),
      }),
    );
    const last = Array.from(logits.data.slice(-config.vocabularySize));
    ids.push(last.indexOf(Math.max(...last)));
  }
  return ids.slice(prompt.length);
}
