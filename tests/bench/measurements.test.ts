/** @file Every measurement runs, through the built command line, on the smallest configuration. What it says of time is not judged. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readShapes } from '../../bench/shapes.js';
import { NATIVE_MEMORY } from '../../engine/index.js';
import { scratch } from '../helpers/cli.js';

const { path } = scratch();
const tiny = 'bench/configs/tiny.json';

interface Kept<T> {
  readonly context: { readonly node: string };
  readonly result: T;
}

let measured = 0;

/** Runs a subcommand; what it printed must be what it kept. */
async function measure<T>(name: string, args: readonly string[], env: object = NATIVE_MEMORY): Promise<T> {
  const results = path(`${name}-${measured++}`);
  const command = ['dist/bench/main.js', name, ...args, '--json', '--results', results];
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    env: { ...process.env, ...env },
  });
  const [file] = readdirSync(results);
  const kept = JSON.parse(readFileSync(join(results, file!), 'utf8')) as Kept<T>;
  expect(JSON.parse(stdout)).toEqual(kept);
  expect(kept.context.node).toBe(process.version);
  return kept.result;
}

type Profiled = {
  readonly phases: Readonly<
    Record<string, { readonly runs: number; readonly gflop: number; readonly kernels: object }>
  >;
  readonly gflop: number;
};

describe('bench', () => {
  it('profile attributes kernels to every phase of a step', async () => {
    const { phases, gflop } = await measure<Profiled>('profile', [tiny]);
    expect(Object.entries(phases).map(([name, { runs }]) => [name, runs])).toEqual([
      ['attack once', 1],
      ['attack', 2],
      ['defend once', 1],
      ['defend', 1],
    ]);
    for (const { kernels } of Object.values(phases))
      expect(Object.keys(kernels).some((kind) => /MatMul|Gemm/.test(kind))).toBe(true);
    expect(gflop).toBeCloseTo(
      Object.values(phases).reduce((sum, phase) => sum + phase.gflop, 0),
      12,
    );
    expect(gflop).toBeGreaterThan(0);
  });

  it('compile tells definitions by stage, and compiles nothing twice', async () => {
    type Compiled = {
      readonly definitions: readonly {
        readonly name: string;
        readonly seconds: object;
        readonly nodes: { readonly traced: number; readonly simplified: number };
      }[];
      readonly cache: { readonly compilations: number; readonly hits: number };
    };
    const { definitions, cache } = await measure<Compiled>('compile', [tiny]);
    expect(definitions.map(({ name }) => name)).toEqual(['attack', 'defend']);
    for (const { nodes } of definitions) expect(nodes.simplified).toBeLessThan(nodes.traced);
    expect(cache).toMatchObject({ compilations: 2, hits: 5 * 3 - 2 });
  });

  it('overhead times as many steps as it is told to', async () => {
    type Overhead = { readonly steps: number; readonly share: number };
    const { steps, share } = await measure<Overhead>('overhead', [tiny, '--steps', '2']);
    expect(steps).toBe(2);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  });

  it('scale draws all that it times', async () => {
    type Scaled = readonly { readonly points: readonly object[] }[];
    const smallest = { ...readShapes(tiny), layers: 1, attack_layers: ['embedding'] };
    writeFileSync(path('smallest.json'), JSON.stringify(smallest));
    const args = [path('smallest.json'), '--plot', path('scale.svg')];
    const result = await measure<Scaled>('scale', args);
    const circles = readFileSync(path('scale.svg'), 'utf8').match(/<circle/g);
    expect(circles).toHaveLength(result.flatMap(({ points }) => points).length);
  });

  it('soak samples resident memory to the last step', async () => {
    type Soaked = { readonly samples: readonly { readonly step: number; readonly rss_mb: number }[] };
    const { samples } = await measure<Soaked>('soak', [tiny, '--steps', '12']);
    expect(samples.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    expect(samples.every(({ rss_mb: megabytes }) => megabytes > 20)).toBe(true);
  });

  it('soak counts the tensors of tfjs where it runs on it', async () => {
    type Soaked = { readonly on: string; readonly samples: readonly { readonly tensors: number }[] };
    const smallest = { ...readShapes(tiny), layers: 1, attack_layers: ['embedding'] };
    writeFileSync(path('soaked.json'), JSON.stringify(smallest));
    const args = [path('soaked.json'), '--steps', '3', '--executor', 'tfjs'];
    const { on, samples } = await measure<Soaked>('soak', args);
    expect(on).toMatch(/^tfjs/);
    expect(samples[0]!.tensors).toBeGreaterThan(0);
    expect(new Set(samples.map(({ tensors }) => tensors)).size).toBe(1);
  });

  it('memory holds the formula against a process', async () => {
    type Remembered = readonly {
      readonly name: string;
      readonly predicted_mb: number;
      readonly measured_mb: number;
    }[];
    const [result] = await measure<Remembered>('memory', [tiny]);
    expect(result).toMatchObject({ name: 'tiny' });
    expect(result!.predicted_mb / result!.measured_mb).toBeGreaterThan(0.5);
    expect(result!.predicted_mb / result!.measured_mb).toBeLessThan(2);
  });

  it('streams, datasets and monitor count what they moved; started anywhere, in an environment like a run’s', async () => {
    type Streams = { readonly chains: object };
    const { chains } = await measure<Streams>('streams', ['--events', '200'], {});
    expect(Object.keys(chains)).toHaveLength(6);
    const batches = await measure<{ readonly rows: number }>('datasets', ['--rows', '600']);
    expect(batches.rows).toBe(608);
    type Deliveries = readonly {
      readonly viewers: number;
      readonly published: number;
      readonly delivered: number;
    }[];
    for (const { viewers, published, delivered } of await measure<Deliveries>('monitor', [
      '--metrics',
      '20',
    ])) {
      expect(delivered).toBeGreaterThanOrEqual(viewers);
      expect(delivered).toBeLessThanOrEqual(viewers * published);
    }
  });
});
