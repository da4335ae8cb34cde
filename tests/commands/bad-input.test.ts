/** @file Bad input through the built command line: each has its own message, code and exit code, and leaves no mess. */
import { createServer, type AddressInfo } from 'node:net';
import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../commands/index.js';
import { cli, scratch, set } from '../helpers/cli.js';

const { path } = scratch();
const model = () => path('good/full/model');

/** A command that must fail: `code` and `exit` as JSON, and words that its message must have. */
async function fails(args: readonly string[], code: string, exit: number, ...words: string[]): Promise<void> {
  const { code: status, stderr, stdout } = await cli([...args, '--json']);
  expect(stdout).toBe('');
  const line =
    stderr.split('\n').find((each) => each.startsWith('{"error"')) ?? `{"error": ${JSON.stringify(stderr)}}`;
  const { error } = JSON.parse(line) as { error: { message: string } };
  expect(error).toMatchObject({ code, exit });
  expect(status).toBe(exit);
  for (const word of words) expect(error.message).toContain(word);
}

/** `train tiny` with settings must fail, and the directory must not be left behind. */
async function tinyFails(
  settings: readonly string[],
  code: string,
  exit: number,
  ...words: string[]
): Promise<void> {
  const out = path('failed');
  const given = set(...settings);
  await fails(['train', 'tiny', '--port', '0', '--out', out, ...given], code, exit, ...words);
  await expect(readdir(out)).rejects.toThrow('ENOENT');
}

/** A copy of the good model with something done to it. */
async function damaged(name: string, damage: (directory: string) => Promise<unknown>): Promise<string> {
  const directory = path(name);
  await mkdir(directory);
  for (const file of await readdir(model())) await copyFile(join(model(), file), join(directory, file));
  await damage(directory);
  return directory;
}

async function edit(file: string, change: (json: Record<string, unknown>) => unknown): Promise<void> {
  const json = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify(change(json)));
}

const generate = (directory: string): string[] => [
  'generate',
  '--model',
  directory,
  '--prompt',
  'Hello',
  '--greedy',
];

beforeAll(async () => {
  const recipe = {
    base: 'tiny',
    steps: 1,
    evaluate: { harmful: null, benign: null },
    arms: {
      lat: null,
      refusal: null,
      full: { attack: null, defend: { train: { kind: 'full', layers: 'all' } } },
    },
  };
  await writeFile(path('good.json'), JSON.stringify(recipe));
  const { code, stderr } = await cli(['train', path('good.json'), '--out', path('good'), '--port', '0']);
  expect({ code, stderr }).toMatchObject({ code: 0 });
});

describe('a model', () => {
  it('without safetensors', async () => {
    const directory = await damaged('missing', (at) => rm(join(at, 'model.safetensors')));
    await fails(generate(directory), 'MODEL_FILE_MISSING', EXIT.input, 'model.safetensors');
  });

  it('with truncated safetensors', async () => {
    const directory = await damaged('truncated', (at) => truncate(join(at, 'model.safetensors'), 5000));
    await fails(generate(directory), 'SAFETENSORS_TRUNCATED', EXIT.input, 'model.safetensors');
  });

  it('of an unknown architecture', async () => {
    const directory = await damaged('unknown', (at) =>
      edit(join(at, 'config.json'), (json) => ({ ...json, architectures: ['MambaForCausalLM'] })),
    );
    await fails(
      generate(directory),
      'MODEL_UNKNOWN_ARCHITECTURE',
      EXIT.input,
      'MambaForCausalLM',
      'LlamaForCausalLM',
    );
  });

  it('whose tokenizer has other tokens', async () => {
    const directory = await damaged('vocabulary', (at) =>
      edit(join(at, 'tokenizer.json'), (json) => {
        const inner = json['model'] as { vocab: Record<string, number> };
        return { ...json, model: { ...inner, vocab: { ...inner.vocab, stranger: 999 } } };
      }),
    );
    await fails(generate(directory), 'TOKENIZER_VOCABULARY', EXIT.input, '384', '999');
  });
});

describe('data', () => {
  it('without the mapped column', () =>
    tinyFails(
      ['data.pairs.columns.desired=chosen'],
      'DATASET_COLUMN_MISSING',
      EXIT.input,
      'chosen',
      'prompt, adversarial, desired',
    ));

  it('without rows', async () => {
    await writeFile(path('empty.jsonl'), '');
    await tinyFails([`data.pairs.path=${path('empty.jsonl')}`], 'DATASET_EMPTY', EXIT.input, 'empty.jsonl');
  });

  it("longer than the model's context", () =>
    tinyFails(
      ['model.config.max_position_embeddings=40', 'evaluate.harmful=null', 'evaluate.benign=null'],
      'SEQUENCE_TOO_LONG',
      EXIT.input,
      '40',
      'row',
    ));

  it('of ragged tokens', async () => {
    await writeFile(path('ragged.json'), '[[1, 2], [3]]');
    const args = [
      'forward',
      '--model',
      model(),
      '--tokens',
      path('ragged.json'),
      '--out',
      path('x.safetensors'),
    ];
    await fails(args, 'TOKENS_RAGGED', EXIT.input, '2, 1');
  });
});

describe('a recipe', () => {
  it('with an unknown key is told the near ones', async () => {
    await tinyFails(
      ['attack.epsilom=1'],
      'RECIPE_UNKNOWN_KEY',
      EXIT.usage,
      'attack.epsilom',
      'did you mean epsilon?',
    );
    await writeFile(path('typo.yaml'), 'base: tiny\ndefend:\n  learningrate: 0.1\n');
    await fails(['train', path('typo.yaml')], 'RECIPE_UNKNOWN_KEY', EXIT.usage, 'did you mean learningRate?');
  });

  it('that does not exist', () =>
    fails(['train', 'jailbrake'], 'RECIPE_UNKNOWN', EXIT.usage, 'did you mean jailbreak?'));

  it('with a site that the model has not', () =>
    tinyFails(['attack.sites=["layers.7.mlp"]'], 'SITE_UNKNOWN', EXIT.usage, 'layers.7.mlp', '0 to 1'));

  it('with a value of another type', () =>
    tinyFails(['steps=many'], 'RECIPE_INVALID', EXIT.usage, 'steps', '"many"'));
});

describe('training', () => {
  it('that diverges stops, keeps the last good checkpoint, and can go on from it', async () => {
    const out = path('diverging');
    const arms = 'arms={"lat":{}}';
    const settings = ['steps=4', 'checkpoint.every=2', arms, 'evaluate.harmful=null', 'evaluate.benign=null'];
    const begin = ['train', 'tiny', '--port', '0', '--out', out, ...set(...settings)];
    expect((await cli(begin, { LATSTREAM_KILL_AT: 'attack:3' })).code).toBe(5);
    const setRate = (learningRate: number): Promise<void> =>
      edit(join(out, 'recipe.json'), (json) => ({
        ...json,
        defend: { ...(json['defend'] as object), learningRate },
      }));
    await setRate(1e30);
    const resume = ['train', '--resume', out, '--port', '0'];
    await fails(resume, 'TRAIN_LOSS_NOT_FINITE', EXIT.diverged, 'step 3');
    expect(await readdir(join(out, 'lat', 'checkpoints'))).toEqual(['step-000002']);
    await setRate(1e-3);
    expect((await cli(resume)).code).toBe(0);
  });

  it('on a port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const args = ['train', 'tiny', '--port', String(port), '--out', path('port')];
      await fails(args, 'MONITOR_PORT_IN_USE', EXIT.environment, String(port));
      await expect(readdir(path('port'))).rejects.toThrow('ENOENT');
    } finally {
      server.close();
    }
  });

  it('into a directory that holds a run', () =>
    fails(['train', 'tiny', '--out', path('good')], 'RUN_EXISTS', EXIT.usage, '--resume'));

  it('resumed where no run is', () =>
    fails(['train', '--resume', path('nowhere')], 'RUN_MISSING', EXIT.usage, 'nowhere'));
});

describe('a command line', () => {
  it('that makes no sense', async () => {
    await fails(['train', 'tiny', '--steps', '4'], 'USAGE', EXIT.usage, '--steps');
    await fails(['train'], 'USAGE_RECIPE', EXIT.usage);
    await fails(['generate', '--model', model()], 'USAGE_PROMPT', EXIT.usage, '--prompt');
    const calibrate = ['calibrate', '--model', model(), '--data', 'x.jsonl', '--iterations', '4,1.5'];
    await fails(calibrate, 'USAGE', EXIT.usage, 'Expected a whole number');
    await fails([...generate(model()), '--system', 'Be kind.'], 'USAGE_SYSTEM', EXIT.usage, '--chat');
  });

  it('that attacks with a target, sites or a rate that mean nothing', async () => {
    const attack = (...more: string[]) => ['attack', '--model', model(), '--prompt', 'Hello', ...more];
    await fails(attack('--target', ''), 'USAGE_EMPTY', EXIT.usage, '--target');
    await fails(attack('--target', 'Sure', '--away', ' '), 'USAGE_EMPTY', EXIT.usage, '--away');
    const twice = attack('--target', 'Sure', '--sites', 'embedding,embedding');
    await fails(twice, 'SITE_DUPLICATE', EXIT.usage, 'embedding');
    await fails(attack('--target', 'Sure', '--learning-rate', '1e30'), 'LOSS_NOT_FINITE', EXIT.diverged);
  });

  it('is told so in words where nobody asks for JSON', async () => {
    const { code, stderr } = await cli(['train', 'jailbrake']);
    expect(code).toBe(EXIT.usage);
    expect(stderr).toMatch(
      /^latstream: recipes: expected .*, got jailbrake; did you mean jailbreak\? \[RECIPE_UNKNOWN\]\n$/,
    );
  });
});
