/** @file Pretrained models against transformers: token ids, chat prompt, next-token loss, last logits, greedy tokens. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadChatTemplate, loadTokenizer } from '../../datasets/index.js';
import {
  createEngine,
  generate,
  hiddenStates,
  int32,
  loadModel,
  logitsAt,
  modelKey,
  onnxruntimeExecutor,
  type ModelConfig,
  type Tensor,
} from '../../engine/index.js';
import { checkpoints, fixtures } from './fixtures.js';

/** One entry of `expected.json`. */
interface Expected {
  /** What the user says, where `prompt` is that in the model's chat template. */
  readonly user?: string;
  readonly prompt: string;
  readonly ids: readonly number[];
  readonly mean_next_token_nll: number;
  readonly last_logits_first8: readonly number[];
  readonly greedy_ids: readonly number[];
}

interface Args {
  readonly parameters: Record<string, Tensor>;
  readonly batch: { readonly tokens: Tensor; readonly positions: Tensor; readonly segments: Tensor };
}

function allLogits(config: ModelConfig) {
  return {
    name: `all logits ${modelKey(config)}`,
    compute: ({ parameters, batch }: Args & { readonly [name: string]: never }) =>
      logitsAt(config, parameters, hiddenStates({ config }, { parameters }, batch)),
  };
}

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

async function logitsOf(model: Awaited<ReturnType<typeof loadModel>>, ids: readonly number[]) {
  const shape = [1, ids.length];
  const batch = {
    tokens: engine.upload(int32(shape, ids)),
    positions: engine.upload(int32(shape, [...ids.keys()])),
    segments: engine.upload(
      int32(
        shape,
        ids.map(() => 1),
      ),
    ),
  };
  const logits = await engine.download(
    await engine.run(allLogits(model.config), { parameters: model.parameters, batch } as never),
  );
  return ids.map((_, row) => logits.data.subarray(row * logits.shape[1]!, (row + 1) * logits.shape[1]!));
}

function meanLoss(rows: readonly ArrayLike<number>[], ids: readonly number[]): number {
  const losses = ids.slice(1).map((target, row) => {
    const logits = Array.from(rows[row]!);
    const peak = Math.max(...logits);
    return peak + Math.log(logits.reduce((sum, each) => sum + Math.exp(each - peak), 0)) - logits[target]!;
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

const models = checkpoints('models', ['config.json', 'model.safetensors', 'tokenizer.json', 'expected.json']);

function casesOf(directory: string): readonly Expected[] {
  return JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8')) as Expected[];
}

describe('pretrained models', () => {
  if (models.length === 0) it.skip(`none in ${fixtures}: name a folder with models/ in LATSTREAM_FIXTURES`);

  for (const { name, directory, skip } of models) {
    it.skipIf(skip !== null)(
      `${name} tokenizes as transformers does, from its own chat template where it chats`,
      async () => {
        const tokenizer = await loadTokenizer(directory);
        const template = await loadChatTemplate(directory, tokenizer);
        for (const { user, prompt, ids } of casesOf(directory)) {
          if (user !== undefined) {
            const messages = [{ role: 'user', content: user }];
            expect(template.renderPrompt(messages, true)).toBe(prompt);
            expect(template.promptTokens(messages)).toEqual(ids);
          }
          expect(tokenizer.encode(prompt)).toEqual(ids);
          // A text that brings its BOS gets no second one.
          if (tokenizer.addsBos)
            expect(tokenizer.encode((tokenizer.bos?.text ?? '') + prompt)[1]).not.toBe(ids[0]);
        }
      },
    );

    const title = `${name} predicts and continues as transformers does`;
    it.skipIf(skip !== null)(skip ? `${title} (skipped: ${skip})` : title, async () => {
      const model = await loadModel(directory);
      const cases = casesOf(directory);
      for (const expected of cases) {
        const rows = await logitsOf(model, expected.ids);
        expect(meanLoss(rows, expected.ids)).toBeCloseTo(expected.mean_next_token_nll, 3);
        expected.last_logits_first8.forEach((logit, token) =>
          expect(Math.abs(rows.at(-1)![token]! - logit)).toBeLessThan(1e-3),
        );
      }
      const longest = Math.max(...cases.map(({ ids, greedy_ids }) => greedy_ids.length - ids.length));
      const generated = await generate(engine, model, {
        prompts: cases.map(({ ids }) => ids),
        maxNewTokens: longest,
      });
      generated.forEach(({ tokens }, row) => {
        const { ids, greedy_ids } = cases[row]!;
        expect([...ids, ...tokens.slice(0, greedy_ids.length - ids.length)]).toEqual(greedy_ids);
      });
    });
  }
});
