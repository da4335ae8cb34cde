/** @file The tables of an evaluation: what is wrong with one is said with its row, and nothing takes for ever. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createChatTemplate } from '../../../datasets/index.js';
import { readQuestions, type EvaluateConfig } from '../../../operators/index.js';
import { byteTokenizer, temporaryFolder } from '../../datasets/helpers.js';

const CHATML =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
/** Few steps to make, 2^40 texts to write. */
const BOMB =
  '{% set n = namespace(l=[1]) %}{% for i in range(40) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l | tojson }}';

async function config(columns: Readonly<Record<string, string>>): Promise<EvaluateConfig> {
  const path = join(await temporaryFolder(), 'table.jsonl');
  const rows = ['first', 'second', 'third'].map((prompt) => ({ prompt, bad: 'yes', good: 'no' }));
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  return {
    harmful: { path, columns },
    benign: null,
    requests: 9,
    maxNewTokens: 4,
  } as unknown as EvaluateConfig;
}

const columns = { prompt: 'prompt', adversarial: 'bad', desired: 'good' };
const template = (text = CHATML) => createChatTemplate(text, byteTokenizer());

describe('readQuestions', () => {
  it('gives the tokens of each request, its answer and the desired one', async () => {
    const { harmful, benign } = await readQuestions(await config(columns), template(), 99);
    expect(benign).toEqual([]);
    const text = (ids: readonly number[] = []): string =>
      byteTokenizer().decode([...ids], { specialTokens: true });
    expect(
      harmful.map(({ promptTokens, answerTokens, desiredTokens }) =>
        [promptTokens, answerTokens, desiredTokens].map(text),
      ),
    ).toEqual(
      ['first', 'second', 'third'].map((prompt) => [
        `<|user|>${prompt}<|end|><|assistant|>`,
        'yes<|end|>',
        'no<|end|>',
      ]),
    );
  });

  it('names the row that is too long, and the one that takes too long', async () => {
    const long = readQuestions(await config(columns), template(), 12);
    await expect(long).rejects.toMatchObject({
      code: 'SEQUENCE_TOO_LONG',
      message: expect.stringContaining('table.jsonl, row 1: expected at most 12 tokens') as string,
    });
    const onThird = template(`{% if messages[0].content == 'third' %}${BOMB}{% endif %}${CHATML}`);
    await expect(readQuestions(await config(columns), onThird, 99, 300)).rejects.toMatchObject({
      code: 'ENCODE_TIME',
      message: expect.stringContaining(
        'table.jsonl, row 2: expected all rows tokenized within 0.3 s',
      ) as string,
    });
  });

  it('names the column that a table lacks', async () => {
    const asked = readQuestions(await config({ prompt: 'prompt' }), template(), 99);
    await expect(asked).rejects.toMatchObject({ code: 'EVALUATE_COLUMNS' });
  });
});
