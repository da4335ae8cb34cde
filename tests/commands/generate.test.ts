/** @file Continuations of many prompts: the same alone and in any batch, and ended by stop strings. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { continuations, type Continuation, type ContinuationOptions } from '../../commands/continuations.js';
import { withOpenModel } from '../../commands/asked.js';
import { readPrompts } from '../../commands/prompts.js';
import { scratch } from '../helpers/cli.js';

const { path } = scratch();
const PROMPTS = ['How do I brew a zuka?', 'Hi', 'What is the colour of', 'Hi'];
const BASE: ContinuationOptions = { maxNewTokens: 12, samples: 1, batchSize: 8, stop: [] };
const SAMPLING = { temperature: 1.5, topK: 40, seed: 1 };

function continued(
  prompts: readonly string[],
  options: Partial<ContinuationOptions> = {},
): Promise<Continuation[]> {
  const model = { model: 'organism/model', executor: 'onnxruntime', threads: 1 } as const;
  return withOpenModel(model, (asked) => continuations(asked, prompts, { ...BASE, ...options }));
}

describe('continuations', () => {
  it('of a prompt are the same alone and in any batch; samples of one prompt differ', async () => {
    const all = await continued(PROMPTS, { sampling: SAMPLING, samples: 2, batchSize: 3 });
    expect(all.map(({ prompt }) => prompt)).toEqual(PROMPTS.flatMap((prompt) => [prompt, prompt]));
    expect(await continued(PROMPTS, { sampling: SAMPLING, samples: 2, batchSize: 8 })).toEqual(all);
    expect(await continued(['Hi'], { sampling: SAMPLING })).toEqual([all[2]]);
    // A prompt that comes again goes on drawing.
    expect(await continued(['Hi'], { sampling: SAMPLING, samples: 4 })).toEqual([
      ...all.slice(2, 4),
      ...all.slice(6, 8),
    ]);
    expect(new Set([2, 3, 6, 7].map((at) => all[at]!.text)).size).toBe(4);
  });

  it('end before a stop string', async () => {
    const [prompt] = PROMPTS as [string];
    const options = { chat: true, maxNewTokens: 40 };
    const [free] = (await continued([prompt], options)) as [Continuation];
    expect(free.ended).toBe('stop-token');
    const stop = free.text.slice(9, 12);
    const [cut] = (await continued([prompt], { ...options, stop: [stop, 'nowhere'] })) as [Continuation];
    expect(cut.ended).toBe('stop');
    expect(cut.text).toBe(free.text.slice(0, free.text.indexOf(stop)));
    expect(cut.tokens).toEqual(free.tokens.slice(0, cut.tokens.length));
    expect(cut.tokens.length).toBeLessThan(free.tokens.length);
  });

  it('end with a special token where its text is a stop string', async () => {
    const hot = { maxNewTokens: 30, samples: 16, sampling: { temperature: 1000, seed: 2 } };
    const free = await continued(['Hi'], hot);
    const { added_tokens: added } = JSON.parse(
      await readFile('organism/model/tokenizer.json', 'utf8'),
    ) as AddedTokens;
    const { id, content } = added.find(({ id }) =>
      free.some(({ tokens }) => tokens.slice(0, -1).includes(id)),
    )!;
    const ended = await continued(['Hi'], { ...hot, stop: [content] });
    ended.forEach((row, index) => {
      const { tokens, ended } = free[index]!;
      const at = tokens.indexOf(id);
      expect(row.tokens).toEqual(at < 0 ? tokens : tokens.slice(0, at + 1));
      expect(row.ended).toBe(at < 0 ? ended : 'stop-token');
    });
  });

  it('of too long a prompt are refused before any other is continued', async () => {
    let steps = 0;
    const model = { model: 'organism/model', executor: 'tfjs', threads: 1 } as const;
    const asked = withOpenModel(model, (opened) =>
      continuations(opened, ['Hi', 'long '.repeat(5000)], { ...BASE, batchSize: 1 }, () => steps++),
    );
    await expect(asked).rejects.toMatchObject({ code: 'GENERATE_CONTEXT' });
    expect(steps).toBe(0);
  });
});

interface AddedTokens {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
}

describe('readPrompts', () => {
  beforeAll(() => mkdir(path('.'), { recursive: true }));

  it.each([
    ['list.json', '["one", "two\\nlines"]', ['one', 'two\nlines']],
    ['objects.json', '[{"prompt": "one"}, {"prompt": "two"}]', ['one', 'two']],
    ['lines.jsonl', '{"prompt": "one", "id": 1}\n{"prompt": "two", "id": 2}\n', ['one', 'two']],
    ['lines.txt', 'one\n\n["two"]\n', ['one', '["two"]']],
  ])('reads %s', async (name, content, prompts) => {
    await writeFile(path(name), content);
    expect(await readPrompts(path(name))).toEqual(prompts);
  });

  it.each([
    ['mixed.json', '["one", 2]', 'DATASET_JSON'],
    ['cut.json', '["one", "tw', 'DATASET_JSON'],
    ['other.jsonl', '{"text": "one"}', 'DATASET_COLUMN_MISSING'],
  ])('says what is wrong with %s', async (name, content, code) => {
    await writeFile(path(name), content);
    await expect(readPrompts(path(name))).rejects.toMatchObject({ code });
  });
});
