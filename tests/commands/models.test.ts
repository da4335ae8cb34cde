/** @file Commands on models of every family, from a folder, a GGUF file and the hub's cache: what is asked changes, not where it lies. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCli } from '../../commands/index.js';
import { scratch } from '../helpers/cli.js';
import { converted } from '../helpers/gguf-convert.js';

const { path } = scratch();
const FIXTURES = 'tests/fixtures/families';
/** GPT-Neo has no GGUF form. */
const FAMILIES = ['llama3', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'phi3', 'gpt2', 'gpt_neox', 'gpt_neo'];
const TOKENS = ['<pad>', '<s>', '</s>', '<|user|>', 'Ġ', ...characters('!', 'k')];
const TEMPLATE =
  "{% for m in messages %}{% if m.role == 'user' %}<|user|>{{ m.content }}<s>{% else %}{{ m.content }}</s>{% endif %}{% endfor %}";
const COMMIT = 'a'.repeat(40);

function characters(first: string, last: string): string[] {
  const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
  return Array.from({ length: to - from + 1 }, (_, at) => String.fromCharCode(from + at));
}

/** A fixture as users have it: with a tokenizer of 80 tokens. @returns its folder. */
async function completed(family: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const file of ['config.json', 'model.safetensors'])
    await copyFile(join(FIXTURES, family, file), join(folder, file));
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const files = {
    'tokenizer.json': {
      version: '1.0',
      added_tokens: TOKENS.slice(0, 4).map((content, id) => ({ id, content, ...special })),
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: { type: 'BPE', vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])), merges: [] },
    },
    'tokenizer_config.json': {
      bos_token: '<s>',
      eos_token: '</s>',
      pad_token: '<pad>',
      chat_template: TEMPLATE,
    },
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content));
  return folder;
}

async function asGguf(family: string): Promise<string> {
  const file = path(`${family}.gguf`);
  const bytes = await converted(join(FIXTURES, family), {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': TOKENS,
    'tokenizer.ggml.token_type': Int32Array.from(TOKENS, (_, id) => (id < 4 ? 3 : 1)),
    'tokenizer.ggml.merges': [],
    'tokenizer.ggml.add_bos_token': false,
    'tokenizer.chat_template': TEMPLATE,
  });
  await writeFile(file, bytes);
  return file;
}

/** What a command prints as JSON. */
async function said<T>(...args: string[]): Promise<T> {
  let [stdout, stderr] = ['', ''];
  const writes = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => !!(stdout += String(text))),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => !!(stderr += String(text))),
  ];
  try {
    const code = await runCli(['node', 'latstream', ...args, '--json'], '0');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  } finally {
    writes.forEach((write) => write.mockRestore());
  }
  return JSON.parse(stdout) as T;
}

const threads = ['--threads', '1'];
const attacked = (model: string, sites: string) =>
  said<Attacked>(
    ...['attack', '--model', model, '--prompt', 'HOW?', '--target', 'SURE', '--away', 'NO', '--sites', sites],
    ...['--epsilon', '4', '--iterations', '4', '--max-new-tokens', '6', ...threads],
  );

interface Attacked {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly unperturbed: string;
  readonly trace: readonly { readonly loss: number; readonly norms: Readonly<Record<string, number>> }[];
}
interface Generated {
  readonly text: string;
  readonly tokens: readonly number[];
}

describe.each(FAMILIES)('%s', (family) => {
  const sites = ['embedding', 'layers.0.attention', 'layers.1.mlp', 'layers.1.residual'];
  let folder = '';
  beforeAll(async () => (folder = await completed(family, path(family))));

  it('is attacked on its prompt, and answers otherwise', async () => {
    const { trace, text, unperturbed, tokens } = await attacked(folder, sites.join());
    expect(trace).toHaveLength(4);
    expect(trace.at(-1)!.loss).toBeLessThan(trace[0]!.loss);
    expect(Object.keys(trace.at(-1)!.norms)).toEqual(sites);
    for (const norm of Object.values(trace.at(-1)!.norms)) {
      expect(norm).toBeGreaterThan(0);
      expect(norm).toBeLessThanOrEqual(4 * (1 + 1e-5));
    }
    expect(tokens).not.toEqual([]);
    expect(text).not.toBe(unperturbed);
  });

  it('ends at a stop string, chat or not', async () => {
    for (const chat of [[], ['--chat']]) {
      const ask = ['generate', '--model', folder, '--prompt', 'HOW?', '--greedy', ...chat, ...threads];
      const free = await said<Generated>(...ask, '--max-new-tokens', '8');
      const stop = free.text.slice(2, 4);
      const cut = await said<Generated>(...ask, '--max-new-tokens', '8', '--stop', stop);
      expect(cut.text).toBe(free.text.slice(0, free.text.indexOf(stop)));
      expect(cut.tokens).toEqual(free.tokens.slice(0, cut.tokens.length));
    }
  });

  it.skipIf(family === 'gpt_neo')('is attacked alike as a GGUF file', async () => {
    const [before, after] = [
      await attacked(folder, 'embedding'),
      await attacked(await asGguf(family), 'embedding'),
    ];
    expect(after.tokens).toEqual(before.tokens);
    expect(after.unperturbed).toBe(before.unperturbed);
    after.trace.forEach(({ loss }, at) => expect(loss).toBeCloseTo(before.trace[at]!.loss, 5));
  });
});

describe('a model is the same in a folder, as a GGUF file and in the cache of the hub', () => {
  afterEach(() => vi.unstubAllEnvs());
  const places: Record<string, string> = {};
  beforeAll(async () => {
    const repository = path('cache/models--org--name');
    await mkdir(join(repository, 'refs'), { recursive: true });
    await writeFile(join(repository, 'refs/main'), COMMIT);
    await completed('llama2', join(repository, 'snapshots', COMMIT));
    places['folder'] = await completed('llama2', path('llama2'));
    places['gguf'] = await asGguf('llama2');
    places['hub'] = 'hf:org/name';
    const rows = ['HOW?', 'WHY?', 'WHO?'].map((prompt) => ({ prompt, bad: 'SURE', good: 'NO', key: 'URE' }));
    await writeFile(path('rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  });

  const everywhere = async (ask: (model: string) => Promise<unknown>): Promise<void> => {
    vi.stubEnv('HF_HUB_CACHE', path('cache'));
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const answers: unknown[] = [];
    for (const place of Object.values(places)) answers.push(await ask(place));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  };

  it('to attack', () => everywhere((model) => attacked(model, 'embedding')));

  it('to calibrate', () =>
    everywhere((model) =>
      said(
        ...['calibrate', '--model', model, '--data', path('rows.jsonl'), '--columns', 'prompt,bad,good'],
        ...['--sites', 'embedding', '--epsilons', '0.2', '--iterations', '2', ...threads],
      ),
    ));

  it('to evaluate on tables that a recipe makes up', async () => {
    const model = 'organism/model';
    const found = await said<{ benign: { n: number } }>('evaluate', 'tiny', '--model', model, '--limit', '2');
    expect(found.benign.n).toBe(2);
  });

  it('to evaluate, in its recipe or instead of its', async () => {
    const table = (answer: string) => ({
      path: path('rows.jsonl'),
      columns: { prompt: 'prompt', [answer]: 'bad', key: 'key' },
    });
    const recipe = path('recipe.json');
    const write = (model: object): Promise<void> =>
      writeFile(
        recipe,
        JSON.stringify({
          base: 'tiny',
          ...model,
          evaluate: { harmful: table('adversarial'), benign: table('completion') },
        }),
      );
    await everywhere(async (model) => {
      await write({});
      const instead = await said('evaluate', recipe, '--model', model);
      await write({ model: { kind: 'directory', path: model } });
      expect(await said('evaluate', recipe)).toEqual(instead);
      return instead;
    });
  });
});
