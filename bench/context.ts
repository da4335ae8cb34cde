/** @file What a measurement needs to be worth something later: machine, versions, commit. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { deviceNames } from './nvidia.js';

export interface Context {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGigabytes: number;
  /** One-minute load before the measurement: above 0.5 the figures are of a busy machine. */
  readonly load: number;
  readonly node: string;
  readonly onnxruntime: string;
  /** NVIDIA's devices and driver. */
  readonly gpus: readonly string[];
}

export function readContext(root: string): Context {
  return {
    date: new Date().toISOString(),
    commit: commit(root),
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    node: process.version,
    onnxruntime: dependency(root, 'onnxruntime-node'),
    gpus: deviceNames(),
  };
}

function commit(root: string): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' and changes' : '');
  } catch {
    return 'unknown';
  }
}

/** The pinned version of a dependency. */
export function dependency(root: string, name: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return manifest.dependencies[name] ?? 'unknown';
}
