/** @file What is left of a run: whether its checkpoints are whole, and all that its bits show. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { globSync } from 'tinyglobby';
import type { Metric } from '../../streams/index.js';

/** Checkpoints of a run that are there by name and not whole. */
export async function tornIn(run: string): Promise<string[]> {
  const manifests = globSync('*/checkpoints/step-*', { cwd: run, onlyDirectories: true, absolute: true });
  const torn = await Promise.all(manifests.map(async (each) => ((await isWhole(each)) ? [] : [each])));
  return torn.flat();
}

async function isWhole(checkpoint: string): Promise<boolean> {
  try {
    const { state } = JSON.parse(await readFile(join(checkpoint, 'checkpoint.json'), 'utf8')) as {
      readonly state: { readonly sha256: string };
    };
    return state.sha256 === sha256(await readFile(join(checkpoint, 'state.safetensors')));
  } catch {
    return !existsSync(checkpoint); // removed while we looked
  }
}

/** Steps of an interrupted checkpoint's directory that is being written. */
export async function isWriting(run: string): Promise<boolean> {
  const folders = globSync('*/checkpoints', { cwd: run, onlyDirectories: true, absolute: true });
  const names = await Promise.all(folders.map((each) => readdir(each).catch(() => [])));
  return names.flat().some((name) => name.endsWith('.writing'));
}

/** What takes time depends on the machine. */
const REPRODUCIBLE = new Set(['attack', 'defend', 'pool', 'evaluate', 'checkpoint']);

/** The digest of every file of a finished run, but for where and when it ran; and every metric that is no duration. */
export async function bitsOf(run: string): Promise<Readonly<Record<string, string>>> {
  const files = globSync('**/*', { cwd: run, absolute: true }).filter(
    (path) => !/run\.lock|metrics\.ndjson/.test(path),
  );
  const bits: Record<string, string> = {};
  for (const path of files.sort()) {
    const content = await readFile(path);
    const isText = /\.jsonl?$/.test(path);
    bits[relative(run, path)] = sha256(isText ? content.toString().replaceAll(run, '@') : content);
  }
  const metrics = (await readFile(join(run, 'metrics.ndjson'), 'utf8')).split('\n').filter(Boolean);
  const told = metrics
    .map((line) => JSON.parse(line) as Metric)
    .filter(({ kind }) => REPRODUCIBLE.has(kind))
    .map(({ run: part, step, kind, values }) => JSON.stringify({ part, step, kind, values }));
  return { ...bits, metrics: told.join('\n') };
}

/** Names of what differs. */
export function differing(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
