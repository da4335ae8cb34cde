/** @file Judged chat quality: what the model and the judge are told, turn by turn, and what is said of bad ones. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createChatTemplate } from '../../../../datasets/index.js';
import {
  evaluate,
  evaluationValues,
  readQuestions,
  type QualityConfig,
} from '../../../../operators/index.js';
import { byteTokenizer, temporaryFolder } from '../../../datasets/helpers.js';
import { asked, config, scripted, Words } from '../scripted.js';

const LINES = "require('fs').readFileSync(0,'utf8').trim().split('\\n').map(JSON.parse)";
const judge = (script: string): QualityConfig['by'] => ({ command: [process.execPath, '-e', script] });
/** As many points as the conversation has words. */
const counting = judge(
  `for (const { messages } of ${LINES}) console.log(JSON.stringify({ score: messages.flatMap((m) => m.content.split(' ')).length }))`,
);

async function scored(
  questions: readonly (readonly string[])[],
  over: Partial<QualityConfig> = {},
  context = 1000,
) {
  const words = new Words();
  const { subject, asked: given } = scripted(words, (prompt) => `re ${prompt.split(' ').length}`);
  const quality = { path: 'chats', by: counting, scale: [0, 50] as const, ...over };
  const progress: number[][] = [];
  const found = await evaluate(
    subject,
    asked(words, { quality: questions, context }),
    { ...config, quality },
    { onProgress: (...at) => progress.push(at) },
  );
  return { found, given, progress };
}

describe('quality', () => {
  it('is the mean of scores over turns and questions, each turn asked after the answers before it', async () => {
    const { found, given, progress } = await scored([['a', 'b c'], ['d']]);
    expect(progress).toEqual([[2, 2]]);
    expect(given).toEqual([['a', 'd'], ['a re 1 b c']]);
    // Words until each answer: a re 1 | d re 1; a re 1 b c re 5.
    expect(found.quality).toMatchObject({ n: 2, scores: [[3, 7], [3]], score: { estimate: 4 } });
    expect(found.quality!.score.low).toBe(3);
    expect(found.quality!.score.high).toBe(5);
    expect(evaluationValues(found)).toMatchObject({ quality: 4, qualityLow: 3, qualityHigh: 5 });
  });

  it('does not ask a turn that the context no longer holds', async () => {
    const { found } = await scored([['a', 'b c'], ['d']], {}, config.maxNewTokens + 4);
    expect(found.quality?.scores).toEqual([[3], [3]]);
    const nothing = await scored([['a']], {}, config.maxNewTokens);
    expect(nothing.found.quality).toBeUndefined();
  });

  it.each([
    ['fails', 'process.exit(3)', 'QUALITY_FAILED'],
    ['says too little', '', 'QUALITY_ANSWER'],
    ['leaves the scale', `for (const _ of ${LINES}) console.log('{"score":51}')`, 'QUALITY_ANSWER'],
    ['says no number', `for (const _ of ${LINES}) console.log('{"score":"9"}')`, 'QUALITY_ANSWER'],
  ])('complains of a judge that %s', async (_name, script, code) => {
    await expect(scored([['a']], { by: judge(script) })).rejects.toMatchObject({ code });
  });

  it('reads turns or prompts, and names the row that has neither', async () => {
    const folder = await temporaryFolder();
    const template = createChatTemplate("{{ messages[0]['content'] }}", byteTokenizer());
    const read = async (name: string, rows: readonly object[], columns?: Record<string, string>) => {
      const path = join(folder, `${name}.jsonl`);
      await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
      const quality = { path, by: counting, ...(columns && { columns }) };
      return (await readQuestions({ ...config, quality }, template, 99)).quality;
    };
    expect(await read('turns', [{ turns: ['a', 'b'] }, { turns: ['c'] }])).toEqual([['a', 'b'], ['c']]);
    expect(await read('prompt', [{ prompt: 'a' }])).toEqual([['a']]);
    expect(await read('mapped', [{ q: ['a'] }], { turns: 'q' })).toEqual([['a']]);
    await expect(read('none', [{ turns: ['a'] }, { turns: [] }])).rejects.toMatchObject({
      code: 'QUALITY_TURNS',
      message: expect.stringContaining('none.jsonl, row 1') as string,
    });
  });
});
