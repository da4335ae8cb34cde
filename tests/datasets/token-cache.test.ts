/** @file Laws of the token cache: it changes nothing but time, and what is damaged or of another way is not used. */
import fc from 'fast-check';
import { mkdir, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  createEncoder,
  encodeRows,
  type ChatTemplate,
  type Encoded,
  type EncoderOptions,
  type EncoderRow,
  type TokenCachePlace,
} from '../../datasets/index.js';
import { rowKey } from '../../datasets/row-key.js';
import { openArrow } from '../../datasets/sources/arrow.js';
import { Segment, writeSegment, type Entry } from '../../datasets/token-segment.js';
import { byteTokenizer, temporaryFolder } from './helpers.js';

const CHATML =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
const template = createChatTemplate(CHATML, byteTokenizer());
const options: EncoderOptions = { context: 64, overflow: 'drop', turns: 'all' };

/** More rows than are encoded without a cache, and than two files of it hold; some wrong, some too long. */
const ROWS: readonly EncoderRow[] = Array.from({ length: 512 + 320 }, (_, index) => ({
  index,
  owner: `dataset x, row ${index}`,
  values:
    index % 3 === 0
      ? {
          messages: ['user', 'assistant', 'user', 'assistant'].map((role, at) => ({
            role,
            content: `${at}-${index}`,
          })),
        }
      : {
          prompt: index % 101 === 0 ? index : `p${index}`,
          completion: index % 7 === 0 ? 'x'.repeat(99) : 'c',
        },
}));

const ids = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 9 });
const span = fc.tuple(fc.nat(9), fc.nat(9)).map(([start, more]) => ({ start, end: start + more }));
const example = fc.record(
  {
    prompt: ids,
    desired: ids,
    adversarial: ids,
    turns: fc.array(span, { minLength: 1, maxLength: 3 }),
    labels: ids,
  },
  { requiredKeys: ['prompt', 'desired'] },
);

async function encodeAll(
  chat: ChatTemplate,
  asked: EncoderOptions,
  cache?: TokenCachePlace,
): Promise<readonly unknown[]> {
  const encoder = createEncoder(chat, asked, {
    threads: 0,
    ...(cache && { cache: { rows: 128, ...cache } }),
  });
  const encoded: Encoded[] = [];
  for (let at = 0; at < ROWS.length; at += 64)
    encoded.push(...(await encoder.encode(ROWS.slice(at, at + 64))));
  await encoder.close();
  return encoded.map((each) => ('error' in each ? each.error.complaint : each));
}

const plain = encodeRows(ROWS, template, options).map((each) =>
  'error' in each ? each.error.complaint : each,
);
const filesIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.arrow'));

describe('a segment', () => {
  it('gives back every entry, and is an Arrow file that others read', async () => {
    const folder = await temporaryFolder();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(example, { nil: undefined }), { minLength: 1, maxLength: 20 }),
        async (examples) => {
          const entries: Entry[] = examples.map((each, at) => ({ key: rowKey({ at }), example: each }));
          const path = await writeSegment(folder, entries);
          const segment = new Segment(path);
          expect(entries.map((_, row) => ({ key: segment.key(row), example: segment.example(row) }))).toEqual(
            entries,
          );
          segment.close();
          const source = await openArrow(path);
          const rows = await source.read(0, ['prompt', 'tokens']);
          expect(rows.map(({ prompt }) => prompt)).toEqual(examples.map((each) => each?.prompt.length ?? -1));
          await source.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the token cache', () => {
  it('changes nothing: not when it is filled, and not when it is used', async () => {
    const directory = await temporaryFolder();
    const notes: string[] = [];
    const cache = { directory, note: (text: string) => notes.push(text) };
    expect(await encodeAll(template, options, cache)).toEqual(plain);
    expect(await filesIn(directory)).toHaveLength(2);
    // Nothing is encoded again: this template would give other tokens, and what is wrong is never kept.
    const other = { ...template, conversation: () => ({ prompt: [1], completions: [[2]], turns: [] }) };
    const used = await encodeAll(other, options, cache);
    expect(used.slice(0, 9)).not.toEqual(plain.slice(0, 9));
    expect(used.slice(512, 512 + 256)).toEqual(plain.slice(512, 512 + 256));
    expect(notes).toEqual([]);
  });

  it('does not take what was encoded in another way', async () => {
    const directory = await temporaryFolder();
    await encodeAll(template, options, { directory });
    for (const [chat, asked] of [
      [template, { ...options, system: 'be' }],
      [template, { ...options, context: 40 }],
      [createChatTemplate(`!${CHATML}`, byteTokenizer()), options],
      [createChatTemplate(CHATML, byteTokenizer({ prefixed: true })), options],
    ] as const)
      expect(await encodeAll(chat, asked, { directory })).toEqual(await encodeAll(chat, asked));
    expect(new Set((await filesIn(directory)).map((name) => name.split('/')[0])).size).toBe(5);
  });

  it.each([
    ['cut off', async (path: string) => truncate(path, 4000)],
    ['changed', async (path: string) => writeFile(path, (await readFile(path)).fill(7, 3000, 3001))],
    ['empty', async (path: string) => writeFile(path, '')],
    ['something else', async (path: string) => writeFile(path, 'ARROW1 and so on')],
  ])('encodes again what is %s, and says so', async (_, damage) => {
    const directory = await temporaryFolder();
    await encodeAll(template, options, { directory });
    const [file] = await filesIn(directory);
    await damage(join(directory, file!));
    const notes: string[] = [];
    expect(await encodeAll(template, options, { directory, note: (text) => notes.push(text) })).toEqual(
      plain,
    );
    expect(notes).toEqual([expect.stringContaining('a damaged file; rows are encoded again')]);
    expect(await filesIn(directory)).toHaveLength(2);
    notes.length = 0;
    expect(await encodeAll(template, options, { directory, note: (text) => notes.push(text) })).toEqual(
      plain,
    );
    expect(notes).toEqual([]);
  });

  it('goes without where it cannot be kept, and says so', async () => {
    const directory = join(await temporaryFolder(), 'file');
    await writeFile(directory, '');
    const notes: string[] = [];
    expect(await encodeAll(template, options, { directory, note: (text) => notes.push(text) })).toEqual(
      plain,
    );
    expect(notes).toHaveLength(1);
  });

  it('makes room by what was not used for longest, and nothing else', async () => {
    const directory = await temporaryFolder();
    const [old, older, mine] = ['a'.repeat(32), 'b'.repeat(32), 'somebody-elses'];
    for (const name of [old, older, mine]) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, 'x.arrow'), Buffer.alloc(1000));
    }
    await utimes(join(directory, older), 1000, 1000);
    await encodeAll(template, options, { directory, bytes: 1500 });
    expect((await readdir(directory)).filter((name) => [old, older, mine].includes(name))).toEqual(
      [old, mine].sort(),
    );
    await rm(directory, { recursive: true });
  });
});
