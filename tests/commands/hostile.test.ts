/** @file Files that nobody would make by accident: pipes, devices, loops, bombs, names that lead away. Each has its code. */
import { execFileSync } from 'node:child_process';
import { truncateSync } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf } from '../../commands/index.js';
import { loadTokenizer, openSource } from '../../datasets/index.js';
import { loadModel, loadModelConfig, readAdapters } from '../../engine/models/index.js';
import { openFileBytes, readSafetensors } from '../../formats/index.js';
import { loadRecipe } from '../../recipes/index.js';
import { cli, scratch } from '../helpers/cli.js';

const { path } = scratch();
const MODEL = 'organism/model';

/** What is no file to read from, by name; made anew in a place, under a name with this ending. */
const THINGS: Readonly<Record<string, (at: string) => Promise<unknown>>> = {
  'a pipe': async (at) => execFileSync('mkfifo', [at]),
  'a device without end': (at) => symlink('/dev/zero', at),
  'a link to itself': (at) => symlink(at, at),
  'a folder': (at) => mkdir(at),
  nothing: () => Promise.resolve(),
};
let made = 0;

async function thing(name: string, ending: string): Promise<string> {
  const at = path(`thing-${made++}${ending}`);
  await THINGS[name]?.(at);
  return at;
}

/** The code that a reader fails with; the error must have an exit code that is not our defect's. */
async function codeOf(act: () => Promise<unknown>): Promise<string> {
  const error: unknown = await act().then(
    () => new Error('it was read'),
    (caught: unknown) => caught,
  );
  expect({ error, exit: exitCodeOf(error) }).not.toMatchObject({ exit: EXIT.internal });
  return (error as { code: string }).code;
}

/** A copy of the model with one file replaced. */
async function modelWith(file: string, replace: (at: string) => Promise<unknown>): Promise<string> {
  const directory = path(`model-${made++}`);
  await mkdir(directory);
  for (const name of await readdir(MODEL)) await copyFile(join(MODEL, name), join(directory, name));
  await rm(join(directory, file), { force: true });
  await replace(join(directory, file));
  return directory;
}

async function edited(file: string, change: (json: Record<string, unknown>) => object): Promise<string> {
  const json = JSON.parse(await readFile(join(MODEL, file), 'utf8')) as Record<string, unknown>;
  return modelWith(file, (at) => writeFile(at, JSON.stringify(change(json))));
}

describe.each(Object.keys(THINGS))('%s', (name) => {
  it('as a recipe', async () => {
    const file = await thing(name, '.yaml');
    expect(await codeOf(() => loadRecipe(file))).toBe('RECIPE_UNREADABLE');
  });

  it.each(['.parquet', '.arrow', '.jsonl', '.csv', '.txt'])('as a dataset %s', async (ending) => {
    const file = await thing(name, ending);
    expect(await codeOf(() => openSource(file))).toMatch(/^DATASET_(MISSING|EMPTY)$/);
  });

  it.each(['config.json', 'model.safetensors'])('as a model’s %s', async (file) => {
    const make = THINGS[name] ?? (() => Promise.resolve());
    const directory = await modelWith(file, make);
    expect(await codeOf(() => loadModel(directory))).toMatch(/^(MODEL_FILE_MISSING|SAFETENSORS_NOT_FILE)$/);
  });

  it('as a model', async () => {
    const file = await thing(name, '.gguf');
    expect(await codeOf(() => loadModelConfig(file))).toBe('MODEL_FILE_MISSING');
  });
});

describe('an empty file', () => {
  const emptied = async (ending: string): Promise<string> => {
    const file = path(`empty${ending}`);
    await writeFile(file, '');
    return file;
  };

  it.each(['.parquet', '.arrow', '.jsonl', '.json', '.csv', '.txt'])('as a dataset %s', async (ending) => {
    const file = await emptied(ending);
    expect(await codeOf(() => openSource(file))).toMatch(/^DATASET_(PARQUET|ARROW|EMPTY|JSON)$/);
  });

  it('as a recipe, a model, and what is in one', async () => {
    const [recipe, gguf] = [await emptied('.yaml'), await emptied('.gguf')];
    expect(await codeOf(() => loadRecipe(recipe))).toBe('RECIPE_UNREADABLE');
    expect(await codeOf(() => loadModel(gguf))).toBe('GGUF_TRUNCATED');
    for (const [file, code] of [
      ['config.json', 'MODEL_CONFIG'],
      ['model.safetensors', 'SAFETENSORS_TRUNCATED'],
    ] as const) {
      const directory = await modelWith(file, (at) => writeFile(at, ''));
      expect(await codeOf(() => loadModel(directory))).toBe(code);
    }
    const directory = await modelWith('tokenizer.json', (at) => writeFile(at, ''));
    expect(await codeOf(() => loadTokenizer(directory))).toBe('TOKENIZER_INVALID');
  });
});

describe('a file that may not be read', () => {
  it.skipIf(process.getuid?.() === 0)('has its code in every place', async () => {
    const file = path('secret.yaml');
    await writeFile(file, 'base: tiny\n');
    await chmod(file, 0);
    expect(await codeOf(() => loadRecipe(file))).toBe('RECIPE_UNREADABLE');
    expect(await codeOf(() => openSource(file))).toBe('DATASET_MISSING');
    expect(await codeOf(() => readSafetensors(file))).toBe('SAFETENSORS_MISSING');
  });
});

describe('a file that shrinks while it is read', () => {
  it('is cut off', async () => {
    const file = path('shrinking.safetensors');
    await copyFile(join(MODEL, 'model.safetensors'), file);
    const shrink = (): boolean => {
      truncateSync(file, 9000);
      return true;
    };
    expect(await codeOf(() => readSafetensors(file, shrink))).toBe('SAFETENSORS_TRUNCATED');
    const bytes = await openFileBytes(file);
    await truncate(file, 100);
    expect(await codeOf(() => bytes.read(0, 9000))).toBe('BYTES_CUT');
    await bytes.close();
  });
});

describe('a text that is far too long', () => {
  it('is refused before it is read', async () => {
    const [recipe, config] = [path('long.yaml'), await modelWith('config.json', (at) => writeFile(at, '{}'))];
    await writeFile(recipe, 'base: tiny\n');
    await truncate(recipe, 100_000_000);
    await truncate(join(config, 'config.json'), 2 ** 40);
    expect(await codeOf(() => loadRecipe(recipe))).toBe('RECIPE_UNREADABLE');
    expect(await codeOf(() => loadModel(config))).toBe('MODEL_FILE_MISSING');
  });

  it('or nests without end, as a header of safetensors', async () => {
    const file = path('deep.safetensors');
    const header = '['.repeat(30_000_000);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(header.length));
    await writeFile(file, Buffer.concat([start, Buffer.from(header)]));
    expect(await codeOf(() => readSafetensors(file))).toBe('SAFETENSORS_HEADER');
  });
});

describe('dimensions beyond every machine', () => {
  it.each([
    ['num_hidden_layers', 1e15],
    ['hidden_size', 1e15],
    ['vocab_size', 2 ** 53],
    ['num_attention_heads', 0.5],
    ['rms_norm_eps', 'NaN'],
  ])('are refused: %s of %s', async (key, value) => {
    const directory = await edited('config.json', (json) => ({ ...json, [key]: value }));
    expect(await codeOf(() => loadModel(directory))).toBe('MODEL_CONFIG');
  });
});

describe('a name that leads out of its folder', () => {
  it.each(['../../../../etc/passwd', '/etc/passwd', 'x/../../secret'])(
    'is refused in an index: %s',
    async (file) => {
      const index = { weight_map: { 'model.embed_tokens.weight': file } };
      const directory = await modelWith('model.safetensors.index.json', (at) =>
        writeFile(at, JSON.stringify(index)),
      );
      expect(await codeOf(() => loadModel(directory))).toBe('MODEL_CONFIG');
    },
  );

  it('is not followed where an adapter names its base', async () => {
    const directory = path('adapter');
    await mkdir(directory);
    const settings = {
      peft_type: 'LORA',
      r: 1,
      lora_alpha: 1,
      base_model_name_or_path: '../../../etc/passwd',
    };
    await writeFile(join(directory, 'adapter_config.json'), JSON.stringify(settings));
    const config = await loadModelConfig(MODEL);
    const error: unknown = await readAdapters(directory, config).catch((caught: unknown) => caught);
    // All that is missing are its own weights.
    expect(error).toMatchObject({ code: 'MODEL_FILE_MISSING' });
    expect(String(error)).toContain('adapter_model.safetensors');
  });
});

describe('through the command line', () => {
  let [pipe, bomb] = ['', ''];
  beforeAll(async () => {
    pipe = await thing('a pipe', '.yaml');
    bomb = path('bomb.yaml');
    const level = (n: number): string =>
      `l${n}: &l${n} [${Array.from({ length: 9 }, () => (n ? `*l${n - 1}` : 'ha')).join(', ')}]\n`;
    await writeFile(bomb, `${[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(level).join('')}base: tiny\nname: *l9\n`);
  });

  const fails = async (args: readonly string[], code: string, exit: number): Promise<void> => {
    const ended = await cli([...args, '--json']);
    expect(ended).toMatchObject({ code: exit, stdout: '' });
    expect(ended.stderr).toContain(`"code":"${code}"`);
  };

  it('a pipe and a bomb as recipes', async () => {
    await fails(['train', pipe], 'RECIPE_UNREADABLE', EXIT.usage);
    await fails(['train', bomb], 'RECIPE_UNREADABLE', EXIT.usage);
  });

  it('a device as a dataset', () =>
    fails(
      ['train', 'tiny', '--port', '0', '--out', path('run'), '--set', 'data.pairs.path=/dev/zero'],
      'DATASET_MISSING',
      EXIT.input,
    ));

  it('a tokenizer whose pattern never comes to an end', async () => {
    const directory = await edited('tokenizer.json', (json) => ({
      ...json,
      pre_tokenizer: { type: 'Split', pattern: { Regex: '((a+)+)+$' }, behavior: 'Isolated', invert: false },
    }));
    const prompt = `${'a'.repeat(60)}!`;
    await fails(['generate', '--model', directory, '--prompt', prompt], 'TOKENIZER_TIME', EXIT.input);
  });
});
