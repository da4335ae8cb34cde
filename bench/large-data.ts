/**
 * @file Streams a large generated Parquet file through `data inspect` and through training, and says how fast and in how
 * much memory: `node dist/bench/large-data.js [gigabytes, default 10] [file, kept where given]`.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readContext } from './context.js';
import { writeLarge } from './large-data-file.js';
import { runPart, type Part } from './large-data-run.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const self = fileURLToPath(import.meta.url);

interface Measured {
  readonly stdout: string;
  readonly seconds: number;
  readonly peakBytes: number;
}

/** Runs a process to its end; its peak memory is read while it lives, where the system tells. */
function measured(args: readonly string[]): Promise<Measured> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  let peakBytes = 0;
  const timer = setInterval(() => (peakBytes = Math.max(peakBytes, highWater(child.pid ?? 0))), 100);
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve({ stdout, seconds: (performance.now() - began) / 1000, peakBytes });
      else reject(new Error(`${args.join(' ')} ended with ${code ?? 'a signal'}`));
    });
  });
}

function highWater(pid: number): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const part = async (kind: string, ...path: string[]): Promise<Part> =>
  JSON.parse((await measured([self, kind, ...path])).stdout) as Part;

async function whole(gigabytes: number, kept?: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'latstream-large-'));
  const path = kept ?? join(folder, 'large.parquet');
  try {
    const found = await stat(path).catch(() => undefined);
    if (!found) await measured([self, 'generate', path, String(gigabytes)]);
    const { size } = await stat(path);
    const inspect = await measured([
      join(root, 'dist/cli.js'),
      'data',
      'inspect',
      path,
      '--json',
      '--columns',
      'prompt=prompt',
      'adversarial=adversarial',
      'desired=desired',
    ]);
    const { rows, seen, groups, examples } = JSON.parse(inspect.stdout) as {
      rows: number;
      seen: number;
      groups: number;
      examples: { kept: number };
    };
    const [small, pipeline, train] = [
      await part('train'),
      await part('pipeline', path),
      await part('train', path),
    ];
    console.log(
      JSON.stringify(
        {
          context: readContext(root),
          file: { bytes: size, rows, groups },
          inspect: {
            seconds: inspect.seconds,
            megabytesPerSecond: size / 1e6 / inspect.seconds,
            peakBytes: inspect.peakBytes,
            seen,
            kept: examples.kept,
          },
          pipeline,
          train,
          withSmallTables: small,
          peakAboveSmallTables: train.peakBytes - small.peakBytes,
          pipelineShareOfStep: pipeline.stepSeconds / train.stepSeconds,
          waitShareOfStep: train.waitSeconds / train.stepSeconds,
        },
        null,
        2,
      ),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [first = '10', second, third = '10'] = process.argv.slice(2);
if (first === 'generate' && second !== undefined) await writeLarge(second, Number(third) * 1e9);
else if (first === 'train' || first === 'pipeline') console.log(JSON.stringify(await runPart(first, second)));
else await whole(Number(first), second);
