/** @file Log-odds from hidden states, in chunks, against log-odds of all logits at once: values and both gradients. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  int32,
  logitsAt,
  onnxruntimeExecutor,
  ops,
  valueAndGradients,
  type HostTensor,
  type ModelConfig,
  type Tensor,
} from '../../../engine/index.js';
import { draws } from '../../../foundation/index.js';
import { labelOdds } from '../../../operators/objectives/label-odds.js';
import { logOdds } from '../../../operators/index.js';
import { tinyModel } from '../../helpers/tiny-model.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const WIDTH = 4;
type Args = { hidden: Tensor; head: Tensor; tokens: Tensor; shares: Tensor };
type Odds = (parameters: Record<string, Tensor>, hidden: Tensor, tokens: Tensor) => Tensor;

const normal = (name: string, shape: readonly [number, number]): HostTensor => {
  const draw = draws(0, 'label-odds', name);
  return float32(
    shape,
    Float32Array.from({ length: shape[0] * shape[1] }, () => draw.normal()),
  );
};

async function measured(name: string, labels: number, vocabulary: number, odds: Odds) {
  const { figures, gradients } = await engine.run(
    {
      name: `${name} ${labels} ${vocabulary}`,
      compute: ({ hidden, head, tokens, shares }: Args) => {
        const found = valueAndGradients(
          (inputs) => {
            const each = odds({ 'lm_head.weight': inputs['head']! }, inputs['hidden']!, tokens);
            return { loss: ops.sum(ops.mul(ops.softplus(each), shares)), aux: { each } };
          },
          { hidden, head },
        );
        return { figures: found.aux.each, gradients: found.gradients as { hidden: Tensor; head: Tensor } };
      },
    },
    {
      hidden: normal('hidden', [labels, WIDTH]),
      head: normal('head', [vocabulary, WIDTH]),
      tokens: int32(
        [labels],
        Array.from({ length: labels }, (_, at) => (at * 7919) % vocabulary),
      ),
      shares: float32(
        [labels],
        Array.from({ length: labels }, (_, at) => (at % 3) / labels),
      ),
    },
  );
  return [figures, gradients.hidden, gradients.head].map(
    (value) => (value as HostTensor).data as Float32Array,
  );
}

const configOf = (vocabularySize: number, logitSoftCap: number | null): ModelConfig => ({
  ...tinyModel.config,
  tied: false,
  vocabularySize,
  logitSoftCap,
});

describe('labelOdds', () => {
  it.each([
    ['one chunk', 5, 11, null],
    ['one chunk under a soft cap', 5, 11, 2],
    ['chunks of equal and unequal size', 300, 9000, null],
    ['chunks under a soft cap', 257, 9000, 3],
  ] as const)(
    'gives the log-odds of the logits and their gradients for hidden states and head: %s',
    async (name, labels, vocabulary, cap) => {
      const config = configOf(vocabulary, cap);
      const chunked = await measured(`${name} chunked`, labels, vocabulary, (parameters, hidden, tokens) =>
        labelOdds(config, parameters, hidden, tokens),
      );
      const whole = await measured(`${name} whole`, labels, vocabulary, (parameters, hidden, tokens) =>
        logOdds(logitsAt(config, parameters, hidden), tokens),
      );
      whole.forEach((expected, which) => {
        const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const furthest = expected.reduce(
          (worst, value, at) => Math.max(worst, Math.abs(value - chunked[which]![at]!)),
          0,
        );
        expect(scale).toBeGreaterThan(0);
        expect(furthest / scale).toBeLessThan(2e-6);
      });
    },
  );
});
