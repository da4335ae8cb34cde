/**
 * @file Log-odds of labels from hidden states, a few labels at a time, so that logits over the whole vocabulary are never
 * held for all of them. Knows nothing about losses or batches.
 */
import { headWeight, ops, type ModelConfig, type Tensor } from '../../engine/index.js';
import { oddsAndSlopes } from './losses.js';

// N label, C label of a chunk, D width, V vocabulary, E width + 1

/** Logits that are held at once: fewer would make matrix products slow, more would cost memory. */
const CHUNK = { logits: 2 ** 20, labels: 128 } as const;

/**
 * The log-odds [N] of labels, as `logOdds` of their logits. The gradient for a hidden state is found with the value, since
 * a label's log-odds depend on one hidden state only; that for the head is computed only where it is asked for.
 * @param hidden_ND hidden states at the labels' positions. @param tokens_N int32.
 */
export function labelOdds(
  config: ModelConfig,
  parameters: Readonly<Record<string, Tensor>>,
  hidden_ND: Tensor,
  tokens_N: Tensor,
): Tensor {
  const compute = ops.customGrad((...inputs: unknown[]) => {
    const [hidden, head_VD, save] = inputs as [Tensor, Tensor, (tensors: Tensor[]) => void];
    const chunks = chunksOf(hidden, tokens_N, config.vocabularySize).map(({ hidden_CD, tokens_C }) => {
      const { odds, slopes } = headOdds(hidden_CD, head_VD, tokens_C, config.logitSoftCap);
      const both_CE = ops.concat([ops.expandDims(odds, 1), ops.matMul(slopes, head_VD)], 1);
      return { hidden_CD, slopes_CV: slopes, both_CE };
    });
    // In one tensor, so that whoever needs either has a chunk's logits done with before those of the next are begun.
    const both_NE = joined(chunks.map(({ both_CE }) => both_CE));
    const [labels, width] = hidden.shape as [number, number];
    save([
      ops.slice(both_NE, [0, 1], [labels, width]),
      ...chunks.flatMap((each) => [each.slopes_CV, each.hidden_CD]),
    ]);
    return { value: ops.reshape(ops.slice(both_NE, [0, 0], [labels, 1]), [labels]), gradFunc };
  });
  return compute(hidden_ND, headWeight(config, parameters));
}

function gradFunc(dy_N: Tensor, saved: Tensor[]): Tensor[] {
  const [slopes_ND, ...chunks] = saved as [Tensor, ...Tensor[]];
  const dy_N1 = ops.expandDims(dy_N, 1);
  const heads: Tensor[] = [];
  let start = 0;
  for (let at = 0; at < chunks.length; at += 2) {
    const [slopes_CV, hidden_CD] = [chunks[at] as Tensor, chunks[at + 1] as Tensor];
    const size = slopes_CV.shape[0];
    const dy_C1 = size === dy_N.size ? dy_N1 : ops.slice(dy_N1, [start, 0], [size, 1]);
    heads.push(ops.matMul(ops.mul(dy_C1, slopes_CV), hidden_CD, true));
    start += size;
  }
  return [ops.mul(dy_N1, slopes_ND), heads.length === 1 ? (heads[0] as Tensor) : ops.addN(heads)];
}

/** Log-odds [C] and their gradients [C,V] for the products of hidden states and head, before the soft cap. */
function headOdds(hidden_CD: Tensor, head_VD: Tensor, tokens_C: Tensor, cap: number | null) {
  const raw_CV = ops.matMul(hidden_CD, head_VD, false, true);
  if (cap === null) return oddsAndSlopes(raw_CV, tokens_C);
  const bent_CV = ops.tanh(ops.div(raw_CV, cap));
  const { odds, slopes } = oddsAndSlopes(ops.mul(bent_CV, cap), tokens_C);
  return { odds, slopes: ops.mul(slopes, ops.sub(1, ops.square(bent_CV))) };
}

function chunksOf(hidden_ND: Tensor, tokens_N: Tensor, vocabulary: number) {
  const [labels, width] = hidden_ND.shape as [number, number];
  const most = Math.max(CHUNK.labels, Math.floor(CHUNK.logits / vocabulary));
  const count = Math.ceil(labels / most);
  if (count <= 1) return [{ hidden_CD: hidden_ND, tokens_C: tokens_N }];
  const size = Math.ceil(labels / count);
  return Array.from({ length: count }, (_, chunk) => {
    const start = chunk * size;
    const held = Math.min(size, labels - start);
    return {
      hidden_CD: ops.slice(hidden_ND, [start, 0], [held, width]),
      tokens_C: ops.slice(tokens_N, [start], [held]),
    };
  });
}

function joined(parts: readonly Tensor[]): Tensor {
  return parts.length === 1 ? (parts[0] as Tensor) : ops.concat([...parts], 0);
}
