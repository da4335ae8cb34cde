/**
 * @file What loading a model takes of memory: a made model folder, read by a process of its own that keeps its matrices in 16
 * bits. `node dist/bench/loading.js FOLDER WAY TYPE` is that process.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  createEngine,
  loadModel,
  modelConfigText,
  onnxruntimeExecutor,
  parameterShapes,
  sizeOf,
  type ModelConfig,
  type Precision,
} from '../engine/index.js';
import { complain } from '../foundation/index.js';
import { modelConfig } from './random.js';
import { table } from './report.js';
import type { Shapes } from './shapes.js';

/** `kept`: read as what is kept. `widened`: everything read as float32, and narrowed afterwards. */
export type Way = 'kept' | 'widened';

export interface Loading {
  readonly stored: Precision;
  readonly kept: Precision;
  readonly way: Way;
  /** MB (2^20 bytes): what is kept, its largest tensor, and how much the process's peak rose above its memory before. */
  readonly kept_mb: number;
  readonly largest_mb: number;
  readonly peak_mb: number;
  readonly seconds: number;
}

const MB = 2 ** 20;
const BYTES: Readonly<Record<Precision, number>> = { float32: 4, float16: 2, bfloat16: 2 };
const NAMES: Readonly<Record<Precision, string>> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };
/** What is stored, and what is kept. */
const CASES: readonly (readonly [Precision, Precision])[] = [
  ['bfloat16', 'bfloat16'],
  ['float16', 'float16'],
  ['bfloat16', 'float16'],
  ['float32', 'bfloat16'],
];

/** Loads a model of these shapes in every case and way. @throws BENCH_SIDE where such a process fails. */
export async function measureLoadings(shapes: Shapes): Promise<Loading[]> {
  const config = modelConfig(shapes);
  const loadings: Loading[] = [];
  for (const [stored, kept] of CASES)
    for (const way of ['widened', 'kept'] as const) {
      const folder = await madeModel(config, stored);
      try {
        loadings.push(measureLoading(config, folder, { stored, kept, way }));
      } finally {
        await rm(folder, { recursive: true });
      }
    }
  return loadings;
}

/** A model folder all of whose weights are zero: a file with holes, which takes no room on the disk. */
export async function madeModel(config: ModelConfig, stored: Precision): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latstream-loading-'));
  await writeFile(join(folder, 'config.json'), modelConfigText(config, stored));
  let end = 0;
  const entries = Object.entries(parameterShapes(config)).map(([name, shape]) => {
    const begin = end;
    end += BYTES[stored] * sizeOf(shape);
    return [name, { dtype: NAMES[stored], shape, data_offsets: [begin, end] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  try {
    await file.writev([length, header]);
    await file.truncate(8 + header.length + end);
  } finally {
    await file.close();
  }
  return folder;
}

/** One process that loads a folder. Linux only. @param main this file, compiled. @throws BENCH_SIDE */
export function measureLoading(
  config: ModelConfig,
  folder: string,
  { stored, kept, way }: Pick<Loading, 'stored' | 'kept' | 'way'>,
  main = fileURLToPath(import.meta.url),
): Loading {
  const { stdout, stderr } = spawnSync(process.execPath, [main, folder, way, kept], { encoding: 'utf8' });
  if (!stdout)
    complain({
      code: 'BENCH_SIDE',
      owner: `loading ${folder}`,
      expected: 'figures',
      got: stderr.slice(-2000),
      hint: 'run it by hand',
    });
  const bytes = Object.values(parameterShapes(config)).map(
    (shape) => sizeOf(shape) * (shape.length > 1 ? BYTES[kept] : 4),
  );
  const figures = JSON.parse(stdout) as Pick<Loading, 'peak_mb' | 'seconds'>;
  const sum = bytes.reduce((whole, each) => whole + each, 0);
  return { stored, kept, way, kept_mb: sum / MB, largest_mb: Math.max(...bytes) / MB, ...figures };
}

export function describeLoadings(loadings: readonly Loading[]): string {
  const rows = loadings.map((each) => [
    each.stored,
    each.kept,
    each.way === 'kept' ? 'at once' : 'through float32',
    ...[each.kept_mb, each.largest_mb, each.peak_mb].map((megabytes) => megabytes.toFixed(0)),
    each.seconds.toFixed(1),
  ]);
  return table([['stored', 'kept', 'read', 'kept, MB', 'largest, MB', 'peak, MB', 's'], ...rows]);
}

/** Most memory of this process so far, and what it has now, in MB. */
function resident(): { readonly peak: number; readonly now: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const figure = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { peak: figure('VmHWM'), now: figure('VmRSS') };
}

async function load(folder: string, way: Way, kept: Precision): Promise<void> {
  const engine = createEngine(onnxruntimeExecutor({ threads: 1 }), { weights: kept });
  const before = resident();
  const began = performance.now();
  const { parameters } = way === 'kept' ? await loadModel(folder, kept) : await loadModel(folder);
  const values = engine.uploadWeights(parameters);
  const seconds = (performance.now() - began) / 1000;
  const { peak } = resident();
  // What is kept is looked at afterwards, so that it was there to the end.
  const isThere = Object.keys(values).length > 0;
  if (isThere) console.log(JSON.stringify({ peak_mb: peak - before.now, seconds }));
}

const [, started, folder, way, kept] = process.argv;
if (started !== undefined && import.meta.url === pathToFileURL(started).href)
  await load(folder as string, way as Way, kept as Precision);
