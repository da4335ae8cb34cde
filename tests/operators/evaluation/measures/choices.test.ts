/** @file Multiple choice: what is asked, which letter counts, and what is said of tables that are none. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createChatTemplate, type PackedBatch } from '../../../../datasets/index.js';
import {
  evaluate,
  readQuestions,
  type EvaluateConfig,
  type Inside,
  type Subject,
} from '../../../../operators/index.js';
import { byteTokenizer, temporaryFolder } from '../../../datasets/helpers.js';
import { config } from '../scripted.js';

const CHATML =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
const template = createChatTemplate(CHATML, byteTokenizer());

async function asking(rows: readonly object[], more: object = {}): Promise<EvaluateConfig> {
  const path = join(await temporaryFolder(), 'mmlu.jsonl');
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  return { ...config, requests: 9, choices: { mmlu: { path, ...more } } };
}

/** Thinks that a letter is likely which stands in the question's first word; keeps the texts of its rows. */
function guesser(): { subject: Subject; texts: string[] } {
  const texts: string[] = [];
  const decode = (tokens: Iterable<number>): string => byteTokenizer().decode([...tokens]);
  const rowLosses = (batch: PackedBatch): Promise<Float32Array> => {
    const { desired } = batch.labels;
    const losses = new Float32Array(batch.rows);
    for (let row = 0; row < batch.rows; row++) {
      const text = decode(batch.tokens.slice(row * batch.length, (row + 1) * batch.length).filter(Boolean));
      texts.push(text);
      const labels = [...desired!.index.keys()].filter(
        (at) => desired!.weights[at] !== 0 && Math.floor(desired!.index[at]! / batch.length) === row,
      );
      const letter = decode(labels.map((at) => desired!.tokens[at]!));
      losses[row] = text.includes(`guess ${letter}`) ? 0 : 1;
    }
    return Promise.resolve(losses);
  };
  const answer = () => Promise.resolve([]);
  const subject = { tokenizer: byteTokenizer(), answer, inside: { rowLosses } as unknown as Inside };
  return { subject, texts };
}

const options = ['yes', 'no', 'perhaps'];
const rows = [
  { question: 'guess B, is it?', choices: options, answer: 1 },
  { question: 'guess C, is it?', choices: options, answer: 0 },
  { question: 'guess A, is it?', choices: options, answer: 'A' },
];

describe('multiple choice', () => {
  it('asks every letter of a question, and counts the likeliest', async () => {
    const asked = await asking(rows);
    const { subject, texts } = guesser();
    const progress: number[][] = [];
    const found = await evaluate(subject, await readQuestions(asked, template, 999), asked, {
      onProgress: (...at) => progress.push(at),
    });
    expect(progress).toEqual([1, 2, 3].map((done) => [done, 3]));
    expect(found.probes?.['mmlu']).toMatchObject({ n: 3, correct: 2, outcomes: [true, false, true] });
    expect(texts).toHaveLength(9);
    expect(texts[1]).toContain('guess B, is it?\nA. yes\nB. no\nC. perhaps\nAnswer:');
    expect(texts[1]?.endsWith('B')).toBe(true); // The letter alone: what ends every answer tells nothing.
  });

  it('takes other columns and fewer rows', async () => {
    const other = rows.map(({ question, choices, answer }) => ({
      q: question,
      choices,
      answer,
      hard: answer === 0,
    }));
    const columns = { question: 'q' };
    const asked = await asking(other, { columns, filter: [{ column: 'hard', equals: true }] });
    expect((await readQuestions(asked, template, 999)).choices['mmlu']).toHaveLength(1);
    const few = { ...(await asking(other, { columns })), requests: 2 };
    expect((await readQuestions(few, template, 999)).choices['mmlu']).toHaveLength(2);
  });

  it.each([
    ['an answer beyond the options', { question: 'x', choices: options, answer: 3 }],
    ['an answer that is none', { question: 'x', choices: options, answer: 'maybe' }],
    ['one option', { question: 'x', choices: ['yes'], answer: 0 }],
    ['options that are no list', { question: 'x', choices: 'yes', answer: 0 }],
  ])('complains of %s', async (_name, row) => {
    await expect(readQuestions(await asking([row]), template, 999)).rejects.toMatchObject({
      code: 'EVALUATE_CHOICES',
      message: expect.stringContaining('mmlu.jsonl, row 0') as string,
    });
  });
});
