/** @file Logits, hidden states, embedding gradients and greedy tokens against transformers, family by family. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  generate,
  hiddenStates,
  int32,
  loadModel,
  logitsAt,
  modelKey,
  onnxruntimeExecutor,
  ops,
  perturbing,
  tfjsExecutor,
  valueAndGradients,
  type Engine,
  type HostTensor,
  type Model,
  type ModelConfig,
  type Tensor,
} from '../../engine/index.js';
import { readSafetensors } from '../../formats/index.js';
import { nativeTfjs, noNativeTfjs } from '../helpers/tfjs-node.js';
import { checkpoints } from './fixtures.js';

type Named = Record<string, Tensor>;
type Args = {
  parameters: Named;
  tokens: Tensor;
  positions: Tensor;
  segments: Tensor;
  slots: Tensor;
  delta: Tensor;
};

/** Everything that `expected.safetensors` holds about one forward and backward pass. */
function forwardAndBackward(config: ModelConfig) {
  const lastBlockInput = config.layers > 1 ? `layers.${config.layers - 2}.residual` : 'embedding';
  return {
    name: `families ${modelKey(config)}`,
    compute: ({ parameters, tokens, positions, segments, slots, delta }: Args) => {
      const { loss, aux, gradients } = valueAndGradients(
        (inputs) => {
          let before: Tensor | undefined;
          const perturb = perturbing({ embedding: inputs['delta']! }, slots);
          const hidden = hiddenStates(
            { config },
            { parameters },
            { tokens, positions, segments },
            (site, x) => {
              const seen = perturb(site, x);
              if (site === lastBlockInput) before = seen;
              return seen;
            },
          );
          const logits = logitsAt(config, parameters, hidden);
          const [rows, columns] = tokens.shape as [number, number];
          const predicting = ops.slice(
            ops.reshape(logits, [rows, columns, -1]),
            [0, 0, 0],
            [rows, columns - 1, -1],
          );
          const targets = ops.oneHot(
            ops.reshape(ops.slice(tokens, [0, 1], [rows, columns - 1]), [-1]),
            config.vocabularySize,
          );
          const chosen = ops.mul(ops.reshape(ops.logSoftmax(predicting as never), targets.shape), targets);
          return {
            loss: ops.neg(ops.div(ops.sum(chosen), rows * (columns - 1))),
            aux: { logits, before: before! },
          };
        },
        { delta },
      );
      return { loss, logits: aux.logits, before: aux.before, gradient: gradients['delta']! };
    },
  };
}

async function measured(engine: Engine, { config, parameters }: Model, tokens: HostTensor) {
  const [rows, columns] = tokens.shape as [number, number];
  const column = Array.from({ length: rows * columns }, (_, index) => index % columns);
  const upload = (tensor: HostTensor) => engine.upload(tensor);
  const result = await engine.run(forwardAndBackward(config), {
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, tensor]) => [name, upload(tensor)]),
    ),
    tokens: upload(tokens),
    positions: upload(int32([rows, columns], column)),
    segments: upload(
      int32(
        [rows, columns],
        column.map(() => 1),
      ),
    ),
    slots: upload(int32([rows, columns], column)),
    delta: upload(float32([rows, columns, config.width])),
  });
  return {
    logits: (await engine.download(result.logits)).data,
    before: (await engine.download(result.before)).data,
    gradient: (await engine.download(result.gradient)).data,
  };
}

/**
 * The model as the reference computed it: until transformers 5.18 its default attention (`sdpa`) left out the soft cap of
 * scores that `config.json` asks for. What the cap computes is tested in tests/engine/models.
 */
async function referenceOf(directory: string): Promise<Model> {
  const model = await loadModel(directory);
  const [major, minor] = String(model.config.json['transformers_version']).split('.').map(Number);
  const leftOut = major! < 5 || (major === 5 && minor! <= 18);
  return leftOut ? { ...model, config: { ...model.config, scoreSoftCap: null } } : model;
}

/** Largest difference, and the same relative to the largest reference value. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  expect(actual.length).toBe(expected.length);
  const wide = Array.from(expected, (value, index) => Math.abs(value - (actual[index] as number)));
  const absolute = wide.reduce((worst, value) => (value <= worst ? worst : value), 0);
  const scale = Array.from(expected).reduce((worst, value) => Math.max(worst, Math.abs(value)), 0);
  return { absolute, relative: absolute / scale };
}

const families = checkpoints('families', ['config.json', 'model.safetensors', 'expected.safetensors']);
const compiled = createEngine(onnxruntimeExecutor({ threads: 1 }));
const eager = createEngine(tfjsExecutor());
const native = nativeTfjs && createEngine(tfjsExecutor(nativeTfjs));
afterAll(async () => {
  await compiled.dispose();
  await eager.dispose();
  await native?.dispose();
});
if (noNativeTfjs !== undefined) process.stdout.write(`families on TensorFlow skipped: ${noNativeTfjs}\n`);

describe.each([
  ['compiled', compiled],
  ['eager', eager],
  ...(native ? [['eager on TensorFlow', native] as const] : []),
] as const)('families, %s', (_, engine) => {
  it('are there to be tested', () => {
    expect(families.some(({ skip }) => skip === null)).toBe(true);
  });

  for (const { name, directory, skip } of families) {
    it.skipIf(skip !== null)(
      `${name} computes what transformers computes${skip ? ` (skipped: ${skip})` : ''}`,
      async () => {
        const model = await referenceOf(directory);
        const { tensors } = await readSafetensors(join(directory, 'expected.safetensors'));
        const actual = await measured(engine, model, tensors['tokens']!);
        expect(distance(actual.logits, tensors['logits']!.data).absolute).toBeLessThan(1e-4);
        expect(distance(actual.before, tensors['hidden_last_block_input']!.data).relative).toBeLessThan(1e-4);
        expect(distance(actual.gradient, tensors['grad_embeddings']!.data).relative).toBeLessThan(1e-4);
      },
    );

    it.skipIf(skip !== null)(
      `${name} continues greedily as transformers does${skip ? ` (skipped: ${skip})` : ''}`,
      async () => {
        const model = await referenceOf(directory);
        const { tensors } = await readSafetensors(join(directory, 'expected.safetensors'));
        const expected = [...tensors['greedy']!.data];
        const prompt = expected.slice(0, 7); // the first row begins with them
        const [row] = await generate(engine, model, {
          prompts: [prompt],
          maxNewTokens: expected.length - 7,
          stopTokens: [],
        });
        expect([...prompt, ...row!.tokens]).toEqual(expected);
      },
    );
  }
});
