/** @file Subjects that say what they are told, and questions in words. */
import type { Tokenizer } from '../../../datasets/index.js';
import {
  NO_QUESTIONS,
  type AttackConfig,
  type EvaluateConfig,
  type Question,
  type Questions,
  type Subject,
} from '../../../operators/index.js';

/** Words as tokens: 0 ends an answer, the others are given numbers as they come. */
export class Words implements Tokenizer {
  readonly bos = undefined;
  readonly eos = undefined;
  readonly pad = undefined;
  readonly addsBos = false;
  readonly files = { definition: {}, config: {} };
  readonly longestToken = 99;
  readonly words = ['<end>'];

  get size(): number {
    return this.words.length;
  }

  encode(text: string): number[] {
    return text.split(' ').map((word) => {
      if (!this.words.includes(word)) this.words.push(word);
      return this.words.indexOf(word);
    });
  }

  decode(ids: readonly number[]): string {
    return ids
      .filter((id) => id !== 0)
      .map((id) => this.words[id])
      .join(' ');
  }
}

export const latent = { sites: ['embedding'], iterations: 1 } as unknown as AttackConfig;
export const config: EvaluateConfig = {
  harmful: null,
  benign: null,
  requests: 100,
  every: 0,
  during: 1,
  batch: 3,
  maxNewTokens: 8,
  direct: true,
  prefill: [2, 99],
  latent: null,
  judge: { match: 'contains', refusals: 'common' },
};

export function question(words: Words, prompt: string, answer: string, key?: string): Question {
  const answerTokens = [...words.encode(answer), 0];
  return {
    prompt,
    promptTokens: words.encode(prompt),
    answer,
    answerTokens,
    ...(key !== undefined && { key }),
  };
}

/** Answers by the prompt's text, prefill included; keeps what it was asked. */
export function scripted(words: Words, answers: (prompt: string, attacked: boolean) => string) {
  const asked: string[][] = [];
  const released: number[] = [];
  const subject: Subject = {
    tokenizer: words,
    answer: (prompts, _limit, deltas) => {
      const texts = prompts.map((prompt) => words.decode(prompt));
      asked.push(texts);
      return Promise.resolve(texts.map((text) => [...words.encode(answers(text, deltas !== undefined)), 0]));
    },
    perturb: (_config, batch) =>
      Promise.resolve({
        deltas: { embedding: { dtype: 'float32', shape: [batch.rows, batch.slotCount, 1] } },
        slots: { dtype: 'int32', shape: [batch.rows, batch.length] },
        trace: [],
        warnings: [],
        release: () => void released.push(batch.rows),
      }),
  };
  return { subject, asked, released };
}

/** Tables as an evaluation takes them; conversations are their contents one after the other. */
export function asked(words: Words, tables: Partial<Questions>): Questions {
  return {
    ...NO_QUESTIONS,
    context: 1000,
    promptTokens: (messages) => messages.flatMap(({ content }) => words.encode(content)),
    ...tables,
  };
}
