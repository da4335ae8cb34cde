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
    await expect(
      readQuestions(await config(columns), onThird, 99, { milliseconds: 300 }),
    ).rejects.toMatchObject({
      code: 'ENCODE_TIME',
      message: expect.stringContaining(
        'table.jsonl, row 2: expected all rows tokenized within 0.3 s',
      ) as string,
    });
  });

  it('names the column that a table lacks', async () => {
    const asked = readQuestions(await config({ adversarial: 'bad' }), template(), 99);
    await expect(asked).rejects.toMatchObject({ code: 'EVALUATE_COLUMNS' });
  });

  it('gives requests without an answer an opening, and says how many targets are no more than that', async () => {
    const { harmful, notes } = await readQuestions(await config({ prompt: 'prompt' }), template(), 99);
    expect(harmful.map(({ answer }) => answer)).toEqual(Array(3).fill('Sure, here is'));
    expect(notes.openings).toBe(3);
  });

  it('leaves out and counts rows that training has, and refuses a table of nothing else', async () => {
    const known = ['Second!', 'something else'];
    const { harmful, notes } = await readQuestions(await config(columns), template(), 99, { known });
    expect(harmful.map(({ prompt }) => prompt)).toEqual(['first', 'third']);
    expect(notes.nearDuplicates).toEqual({ harmful: 1 });
    const all = { known: ['first', 'second', 'third'] };
    const asked = readQuestions(await config(columns), template(), 99, all);
    await expect(asked).rejects.toMatchObject({ code: 'EVALUATE_EMPTY' });
  });

  it('reads public benchmarks as they come, and names the columns of one that it does not know', async () => {
    const benchmark = async (file: string, text: string): Promise<EvaluateConfig> => {
      const path = join(await temporaryFolder(), file);
      await writeFile(path, text);
      return { ...(await config(columns)), harmful: { path }, benign: null };
    };
    const prompts = async (asked: EvaluateConfig) =>
      (await readQuestions(asked, template(), 999)).harmful.map(({ prompt, answer }) => [prompt, answer]);
    const jailbreakBench = ',Goal,Target,Behavior\n0,Do it,"Sure, here is it",X\n';
    expect(await prompts(await benchmark('jbb.csv', jailbreakBench))).toEqual([
      ['Do it', 'Sure, here is it'],
    ]);
    const xstest = 'id,prompt,type,label\n1,How?,a,safe\n2,Why?,b,unsafe\n';
    expect(await prompts(await benchmark('xstest.csv', xstest))).toEqual([['Why?', 'Sure, here is']]);
    const harmBench =
      'Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\nDo,standard,x,,,a\nSay,contextual,x,,In it,b\nSing,copyright,x,,,c\n';
    expect((await prompts(await benchmark('hb.csv', harmBench))).map(([prompt]) => prompt)).toEqual([
      'Do',
      'In it\n\nSay',
    ]);
    const unknown = await benchmark('own.csv', 'question,reply\na,b\n');
    await expect(readQuestions(unknown, template(), 99)).rejects.toMatchObject({
      code: 'EVALUATE_COLUMNS',
      message: expect.stringContaining('question, reply') as string,
    });
  });
});
