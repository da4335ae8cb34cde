/** @file A model whose losses are a function of suffixes alone, conversations of bytes, and batches of requests. */
import { createChatTemplate, pack, type Example, type PackedBatch } from '../../../datasets/index.js';
import { draws } from '../../../foundation/index.js';
import {
  createPool,
  type Chat,
  type Pool,
  type PoolConfig,
  type TokenLosses,
} from '../../../operators/index.js';
import { byteTokenizer } from '../../datasets/helpers.js';

const CHATML =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
const template = createChatTemplate(CHATML, byteTokenizer());
export const chat: Chat = {
  tokenizer: template.tokenizer,
  promptTokens: (messages) => template.promptTokens(messages),
};

export function exampleOf(request: string): Example {
  const { prompt, completions } = template.conversation(
    [{ role: 'user', content: request }],
    [`sure, ${request}`, 'no'],
  );
  return { prompt, adversarial: completions[0] as number[], desired: completions[1] as number[] };
}

/** Tokens at the slots of each row. */
export function suffixesIn({ rows, length, tokens, slots, slotCount }: PackedBatch): number[][] {
  return Array.from({ length: rows }, (_, row) => {
    const found = new Array<number>(slotCount);
    for (let at = row * length; at < (row + 1) * length; at++)
      if ((slots[at] as number) >= 0) found[slots[at] as number] = tokens[at] as number;
    return found;
  });
}

/** What the model below has against a suffix: a sum over its tokens, so that slopes tell the truth. */
export function lossOf(suffix: readonly number[]): number {
  return suffix.reduce((sum, token, place) => sum + likes(place, token), 0);
}

const LIKES = Array.from({ length: 8 }, (_, place) => {
  const draw = draws(0, 'likes', place);
  return Array.from({ length: chat.tokenizer.size }, () => draw.uniform());
});

function likes(place: number, token: number): number {
  return LIKES[place]?.[token] ?? NaN;
}

export const model: TokenLosses = {
  rowLosses: (batch) => Promise.resolve(Float32Array.from(suffixesIn(batch), lossOf)),
  tokenSlopes: ({ slotCount }) => {
    const { size } = chat.tokenizer;
    const slopes = Float32Array.from({ length: slotCount * size }, (_, at) =>
      likes(Math.floor(at / size), at % size),
    );
    return Promise.resolve(slopes);
  },
};

export function poolWith(config: PoolConfig, warnings: string[] = [], context = 200): Pool {
  const warn = (text: string): void => void warnings.push(text);
  return createPool(config, { model, chat, context, layout: { minimum: { length: 64 } }, warn });
}

/** Batches of requests that are told apart by their numbers, so many rows each. */
export function batchOf(step: number, rows: number): PackedBatch {
  return pack(Array.from({ length: rows }, (_, row) => exampleOf(`request ${step}.${row}`)));
}
