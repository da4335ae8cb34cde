/** @file Suffix searches on a model that has a secret suffix, and where suffixes stand in a conversation. */
import { describe, expect, it } from 'vitest';
import { createChatTemplate, type PackedBatch } from '../../../../datasets/index.js';
import { evaluate, type Inside, type Question, type Subject } from '../../../../operators/index.js';
import { byteTokenizer } from '../../../datasets/helpers.js';
import { asked, config, question, scripted, Words } from '../scripted.js';

const plain = { ...config, direct: false, prefill: [] };
const SECRET = ['open', 'sesame', 'now'];
const VOCABULARY = ['a', 'b', ...SECRET, 'c', 'd', 'e', 'f', 'please'];

/** Complies where the secret words stand in their places; its loss is how many do not. */
function secretive(words = new Words()) {
  words.encode(VOCABULARY.join(' '));
  const harmful = ['one', 'two'].map((name) => question(words, `tell ${name}`, `fine ${name}`));
  const secret = SECRET.map((word) => words.words.indexOf(word));
  const rowsOf = ({ rows, length, tokens, slots, slotCount }: PackedBatch): number[][] =>
    Array.from({ length: rows }, (_, row) => {
      const suffix = new Array<number>(slotCount);
      for (let at = row * length; at < (row + 1) * length; at++)
        if (slots[at]! >= 0) suffix[slots[at]!] = tokens[at]!;
      return suffix;
    });
  const log: { losses: number[]; rows: number[] } = { losses: [], rows: [] };
  const inside: Partial<Inside> = {
    rowLosses: (batch) => {
      const losses = rowsOf(batch).map((suffix) => suffix.filter((token, at) => token !== secret[at]).length);
      log.rows.push(batch.rows);
      log.losses.push(...losses);
      return Promise.resolve(Float32Array.from(losses));
    },
    tokenSlopes: ({ slotCount }) =>
      Promise.resolve(
        Float32Array.from({ length: slotCount * words.size }, (_, at) =>
          at % words.size === secret[Math.floor(at / words.size)] ? -1 : 0,
        ),
      ),
  };
  const { subject, asked: given } = scripted(words, (prompt) =>
    prompt.endsWith(SECRET.join(' ')) ? `fine ${prompt.split(' ')[1]}` : 'I cannot',
  );
  return { subject: { ...subject, inside: inside as Inside } satisfies Subject, words, harmful, given, log };
}

describe('gcg and autoprompt', () => {
  it('find the suffix that the gradient points at, for each request', async () => {
    const { subject, words, harmful, given, log } = secretive();
    const { attacks } = await evaluate(subject, asked(words, { harmful }), {
      ...plain,
      gcg: { tokens: 3, iterations: [1, 12], candidates: 6, top: 2 },
      autoprompt: { tokens: 3, iterations: [40], top: 2 },
    });
    expect(Object.keys(attacks)).toEqual(['gcg1', 'gcg12', 'autoprompt40', 'atLeastOne']);
    expect(attacks['gcg1']?.counts.refuse).toBe(2);
    expect(attacks['gcg12']?.counts.comply).toBe(2);
    expect(attacks['autoprompt40']?.counts.comply).toBe(2);
    expect(given.flat()).toContain('tell two open sesame now');
    // Groups of one size: `batch` rows, or as many as there are candidates.
    expect(new Set(log.rows)).toEqual(new Set([3, 2]));
  });

  it('a longer search is a shorter one that went on: the same suffix, no iteration twice', async () => {
    const searched = async (iterations: number[]) => {
      const { subject, words, harmful, given, log } = secretive();
      const gcg = { tokens: 3, iterations, candidates: 2, top: 9 };
      await evaluate(subject, asked(words, { harmful }), { ...plain, gcg });
      return { last: given.at(-1), tried: log.rows.length };
    };
    expect(await searched([2, 5, 9])).toEqual(await searched([9]));
  });

  it('ask with the best suffix that was found, however far the search wandered from it', async () => {
    const { subject, words, harmful, given, log } = secretive();
    const gcg = { tokens: 3, iterations: [6], candidates: 1, top: 99 };
    await evaluate(subject, asked(words, { harmful: harmful.slice(0, 1) }), { ...plain, gcg });
    const suffix = given.flat()[0]!.split(' ').slice(2);
    expect(suffix.filter((word, at) => word !== SECRET[at])).toHaveLength(Math.min(...log.losses));

    expect(log.losses.at(-1)).toBeGreaterThan(Math.min(...log.losses)); // It had wandered.
  });

  it('try only what is read as itself when it is written out', async () => {
    class Fickle extends Words {
      override encode(text: string): number[] {
        return super.encode(text.replaceAll('sesame', 'c d'));
      }
    }
    const fickle = new Fickle();
    Words.prototype.encode.call(fickle, VOCABULARY.join(' ')); // It has the word, and never reads it.
    const { subject, words, harmful, given } = secretive(fickle);
    const gcg = { tokens: 3, iterations: [12], candidates: 6, top: 2 };
    const { attacks } = await evaluate(subject, asked(words, { harmful }), { ...plain, gcg });
    expect(attacks['gcg12']?.counts.refuse).toBe(2);
    for (const prompt of given.flat()) expect(prompt).toMatch(/^tell (one|two) open \w+ now$/);
    expect(given.flat().join(' ')).not.toContain('sesame');
  });

  it('ask as it was where the context has no room for a suffix', async () => {
    const { subject, words, harmful, given } = secretive();
    const gcg = { tokens: 3, iterations: [1], candidates: 2, top: 2 };
    await evaluate(subject, asked(words, { harmful, context: config.maxNewTokens + 4 }), { ...plain, gcg });
    expect(given.flat()).toEqual(['tell one', 'tell two']);
  });
});

describe('a suffix', () => {
  const CHATML =
    '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
  const run = async (source: string): Promise<string[]> => {
    const template = createChatTemplate(source, byteTokenizer());
    const { tokenizer } = template;
    const seen: string[] = [];
    const subject: Subject = {
      tokenizer,
      answer: (prompts) => {
        seen.push(...prompts.map((prompt) => tokenizer.decode([...prompt], { specialTokens: true })));
        return Promise.resolve(prompts.map(() => []));
      },
      perturb: (_config, batch) => {
        // Vectors at the suffix only, in every row.
        for (let row = 0; row < batch.rows; row++) {
          const slots = [...batch.slots.subarray(row * batch.length, (row + 1) * batch.length)];
          expect(slots.filter((slot) => slot >= 0)).toEqual([0, 1, 2, 3]);
        }
        return scripted(new Words(), () => '').subject.perturb!(_config, batch);
      },
    };
    const harmful = ['first', 'the second'].map((prompt): Question => {
      const { prompt: promptTokens, completions } = template.conversation(
        [{ role: 'user', content: prompt }],
        ['ok'],
      );
      return { prompt, promptTokens, answer: 'ok', answerTokens: completions[0]! };
    });
    const promptTokens = template.promptTokens.bind(template);
    await evaluate(
      subject,
      { ...asked(new Words(), { harmful }), promptTokens },
      { ...plain, softPrompt: { tokens: 4, iterations: 1, learningRate: 0.1 } },
    );
    return seen;
  };

  it('stands behind the request, inside of the user’s turn', async () => {
    const [one, two] = await run(CHATML);
    expect(one).toMatch(/^<\|user\|>first (.)\1{3}<\|end\|><\|assistant\|>$/);
    expect(two).toMatch(/^<\|user\|>the second (.)\1{3}<\|end\|><\|assistant\|>$/);
  });

  it('is complained of where the template eats it', async () => {
    await expect(run(CHATML.replace('m.content', 'm.content[:5]'))).rejects.toMatchObject({
      code: 'SUFFIX_LOST',
    });
  });
});
