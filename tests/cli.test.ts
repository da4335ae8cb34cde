/** @file The built command line on a small model of its own: every command's output, as users and scripts see it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../formats/index.js';
import type { AnswerRecord, AttackOutcome, Evaluation } from '../operators/index.js';
import { cli, scratch } from './helpers/cli.js';

const { path } = scratch();
const run = () => path('run');
/** A model folder with a tokenizer, trained for one step. */
const model = () => path('run/full/model');
const adapter = () => path('run/lat/adapter');

beforeAll(async () => {
  const arms = { lat: {}, full: { attack: null, defend: { train: { kind: 'full', layers: 'all' } } } };
  const recipe = {
    base: 'tiny',
    name: 'small',
    steps: 2,
    evaluate: { requests: 4, every: 0, maxNewTokens: 3 },
    arms: { refusal: null, ...arms },
  };
  await mkdir(run(), { recursive: true });
  await writeFile(path('small.json'), JSON.stringify(recipe));
  const { code, stderr } = await cli([
    'train',
    path('small.json'),
    '--out',
    run(),
    '--port',
    '0',
    '--seed',
    '3',
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
});

describe('train', () => {
  it('leaves summary, metrics, adapters in PEFT format, a model folder and checkpoints', async () => {
    const summary = JSON.parse(await readFile(join(run(), 'summary.json'), 'utf8')) as Summary;
    expect(summary).toMatchObject({ recipe: 'small', seed: 3, executor: 'onnxruntime-cpu' });
    expect(summary.arms.map(({ name }) => name)).toEqual(['lat', 'full']);
    expect(summary.arms[0]?.evaluation.attacks['prefill4']).toMatchObject({ n: 4 });
    expect(summary.difference.of).toEqual(['full', 'lat']);
    const config = JSON.parse(await readFile(join(adapter(), 'adapter_config.json'), 'utf8')) as object;
    expect(config).toMatchObject({ peft_type: 'LORA', r: 4, lora_alpha: 8 });
    const { tensors } = await readSafetensors(join(adapter(), 'adapter_model.safetensors'));
    expect(Object.keys(tensors)).toContain('base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight');
    const metrics = (await readFile(join(run(), 'metrics.ndjson'), 'utf8')).trim().split('\n');
    const sequences = metrics.map((line) => (JSON.parse(line) as { sequence: number }).sequence);
    expect(sequences).toEqual(sequences.map((_, at) => at));
    await readFile(join(run(), 'lat', 'checkpoints', 'step-000002', 'checkpoint.json'));
  });

  it('is a function of the seed: the same again, bit for bit', async () => {
    const again = path('again');
    const { code } = await cli([
      'train',
      path('small.json'),
      '--out',
      again,
      '--port',
      '0',
      '--seed',
      '3',
      '--json',
    ]);
    expect(code).toBe(0);
    const weights = async (out: string): Promise<Buffer> =>
      readFile(join(out, 'lat', 'adapter', 'adapter_model.safetensors'));
    expect((await weights(again)).equals(await weights(run()))).toBe(true);
  });

  it('prints costs and leaves nothing with --dry-run', async () => {
    const { code, stdout } = await cli(['train', path('small.json'), '--dry-run', '--json']);
    expect(code).toBe(0);
    const costs = JSON.parse(stdout) as Record<string, unknown>[];
    expect(costs).toHaveLength(2);
    // Rank 4 on q (32→32), v (32→16) and down (64→32) in two layers.
    expect(costs[0]).toMatchObject({ arm: 'lat', trainedParameters: 2 * 4 * (64 + 48 + 96), steps: 2 });
    expect(costs[1]?.['trainedParameters']).toBe(costs[1]?.['parameters']);
    expect(costs[0]?.['secondsPerStep']).toBeGreaterThan(0);
    expect(costs[0]?.['residentBytes']).toBeGreaterThan(1e7);
  });

  it('does nothing again when a finished run is resumed', async () => {
    const before = await readFile(join(run(), 'summary.json'), 'utf8');
    const { code, stderr } = await cli(['train', '--resume', run(), '--port', '0']);
    expect(code).toBe(0);
    expect(stderr).not.toContain('training');
    expect(await readFile(join(run(), 'summary.json'), 'utf8')).toBe(before);
  });
});

interface Summary {
  readonly arms: readonly {
    readonly name: string;
    readonly evaluation: { readonly attacks: Readonly<Record<string, unknown>> };
  }[];
  readonly difference: { readonly of: readonly string[] };
}

describe('generate', () => {
  it('prints the text and tokens that follow, greedily, with and without adapters', async () => {
    const args = [
      'generate',
      '--model',
      model(),
      '--prompt',
      'Hello',
      '--max-new-tokens',
      '5',
      '--greedy',
      '--json',
    ];
    const { code, stdout } = await cli(args);
    expect(code).toBe(0);
    const { text, tokens } = JSON.parse(stdout) as { text: string; tokens: number[] };
    expect(tokens.length).toBeGreaterThan(0);
    expect(tokens.length).toBeLessThanOrEqual(5);
    expect(typeof text).toBe('string');
    expect((await cli(args)).stdout).toBe(stdout);
    expect((await cli([...args, '--adapter', adapter()])).code).toBe(0);
    const stop = text.slice(1, 2);
    const several = await cli([...args, '--prompt', 'How?', '--stop', stop, '--batch-size', '1']);
    const [first, second] = JSON.parse(several.stdout) as { prompt: string; text: string; ended: string }[];
    expect(first).toMatchObject({ prompt: 'Hello', text: text.slice(0, text.indexOf(stop)), ended: 'stop' });
    expect(second?.prompt).toBe('How?');
    expect(await cli(['generate', '--model', model()])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('forward', () => {
  it('writes the logits whose largest is the greedy token', async () => {
    const [tokens, out] = [path('tokens.json'), path('logits.safetensors')];
    await writeFile(
      tokens,
      JSON.stringify({
        tokens: [
          [1, 70, 71],
          [1, 80, 81],
        ],
      }),
    );
    expect((await cli(['forward', '--model', model(), '--tokens', tokens, '--out', out])).code).toBe(0);
    const { logits } = (await readSafetensors(out)).tensors;
    expect(logits).toMatchObject({ dtype: 'float32', shape: [2, 3, 384] });
    expect(logits?.data.every(Number.isFinite)).toBe(true);
    // Causal: the first row alone gives the same.
    await writeFile(tokens, JSON.stringify([[1, 70]]));
    await cli(['forward', '--model', model(), '--tokens', tokens, '--out', path('one.safetensors')]);
    const one = (await readSafetensors(path('one.safetensors'))).tensors['logits'];
    const apart = [...(one?.data ?? [])].map((value, at) => Math.abs(value - (logits?.data[at] ?? NaN)));
    expect(Math.max(...apart)).toBeLessThan(1e-5);
  });
});

describe('attack', () => {
  it('lowers the loss within the ball and generates under it', async () => {
    const { code, stdout } = await cli([
      ...['attack', '--model', model(), '--prompt', 'How?', '--target', 'Sure', '--sites', 'embedding'],
      ...['--epsilon', '0.5', '--iterations', '6', '--max-new-tokens', '3', '--json'],
    ]);
    expect(code).toBe(0);
    const { trace, tokens } = JSON.parse(stdout) as {
      trace: { loss: number; norms: Record<string, number> }[];
      tokens: number[];
    };
    expect(trace).toHaveLength(6);
    expect(trace.at(-1)?.loss).toBeLessThan(trace[0]?.loss ?? 0);
    expect(trace.at(-1)?.norms['embedding']).toBeLessThanOrEqual(0.5 * (1 + 1e-5));
    expect(tokens.length).toBeGreaterThan(0);
  });
});

describe('calibrate', () => {
  it('finds norms and losses by site, radius and iterations, and suggests a setting', async () => {
    const { code, stdout } = await cli([
      ...['calibrate', '--model', model(), '--data', path('run/synthetic/harmful.parquet'), '--rows', '4'],
      ...['--epsilons', '0.1,0.5', '--iterations', '2,4', '--json'],
    ]);
    expect(code).toBe(0);
    const { norms, points, suggestion } = JSON.parse(stdout) as {
      norms: { site: string; residual: number }[];
      points: { before: number; after: number; epsilon: number; fraction: number; site: string }[];
      suggestion: object;
    };
    expect(norms.map(({ site }) => site)).toEqual(['embedding', 'layers.1.residual']);
    expect(points).toHaveLength(8);
    for (const { site, epsilon, fraction } of points) {
      const residual = norms.find((norm) => norm.site === site)?.residual ?? NaN;
      expect(epsilon).toBeCloseTo(fraction * residual, 6);
    }
    expect(Math.min(...points.map(({ before, after }) => after - before))).toBeLessThan(0);
    expect(points).toContainEqual(suggestion);
  });
});

describe('evaluate', () => {
  it('gives the same outcomes for an arm as its run did', async () => {
    const { code, stdout } = await cli([
      ...['evaluate', path('small.json'), '--seed', '3', '--adapter', adapter(), '--json'],
    ]);
    expect(code).toBe(0);
    const kept = JSON.parse(await readFile(join(run(), 'lat', 'evaluation.json'), 'utf8')) as Evaluation;
    const flat = ({ counts, comply, ...rest }: AttackOutcome) => ({ ...rest, ...counts, interval: comply });
    const attacks = Object.entries(kept.attacks).map(([name, outcome]) => [name, flat(outcome)] as const);
    expect(JSON.parse(stdout)).toEqual({ ...kept, attacks: Object.fromEntries(attacks) });
    const answers = await readFile(join(run(), 'lat', 'answers.jsonl'), 'utf8');
    const records = answers
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AnswerRecord);
    expect(records.filter(({ under }) => under === 'direct').map(({ outcome }) => outcome)).toEqual(
      kept.attacks['direct']?.outcomes,
    );
  });
});

describe('the program', () => {
  it('explains every command and the exit codes', async () => {
    const { code, stdout } = await cli(['--help']);
    expect(code).toBe(0);
    for (const word of ['train', 'evaluate', 'generate', 'forward', 'attack', 'calibrate', 'Exit codes'])
      expect(stdout).toContain(word);
    expect((await cli(['train', '--help'])).stdout).toContain('--resume');
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect((await cli(['--version'])).stdout.trim()).toBe(version);
  });
});
