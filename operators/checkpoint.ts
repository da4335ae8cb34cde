/**
 * @file A run's state on disk, version 1: `step-000120/` holds `state.safetensors` (parameters, moments) and
 * `checkpoint.json` (everything else, with the digest of the former). A directory appears whole or not at all:
 * it is written under a temporary name, synced, and renamed. Knows nothing about what the tensors mean.
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors, syncFolder, writeAtomically, writeSafetensors } from '../formats/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { CHECKPOINT_FORMAT, describe, parseManifest, type Checkpoint, type Manifest } from './manifest.js';
import { moment } from './moment.js';
import { retained, type Retention } from './retention.js';

export interface CheckpointStore {
  /**
   * Writes a checkpoint, then removes those of later steps (a resume passed them over: they are damaged) and those of
   * the others that {@link Retention} does not keep. Returns its directory.
   */
  readonly save: (checkpoint: Checkpoint) => Promise<string>;
  /**
   * The newest checkpoint that is whole; each damaged one before it is reported through `warn`.
   * @returns undefined where there is none at all.
   * @throws CHECKPOINT_ALL_CORRUPT where there are some and none can be used.
   */
  readonly latest: () => Promise<Checkpoint | undefined>;
}

export interface CheckpointOptions extends Retention {
  readonly directory: string;
  readonly warn: (message: string) => void;
}

const STATE = 'state.safetensors';
const MANIFEST = 'checkpoint.json';
const NAME = /^step-(\d+)$/;

/** Checkpoints in a directory. */
export function checkpointStore(options: CheckpointOptions): CheckpointStore {
  return {
    save: (checkpoint) => save(options, checkpoint),
    latest: () => latest(options),
  };
}

async function save(options: CheckpointOptions, checkpoint: Checkpoint): Promise<string> {
  const { directory } = options;
  await mkdir(directory, { recursive: true });
  const name = nameOf(checkpoint.step);
  await removeLeftovers(directory);
  const temporary = join(directory, `.${name}.writing`);
  try {
    await write(temporary, checkpoint);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }); // a full disk has better uses
    throw error;
  }
  const final = join(directory, name);
  await remove(directory, name);
  await rename(temporary, final);
  await syncFolder(directory);
  moment(`checkpoint:${checkpoint.step}:done`);
  await removeStale(options, checkpoint.step);
  return final;
}

async function write(temporary: string, checkpoint: Checkpoint): Promise<void> {
  await mkdir(temporary);
  const { tensors, ...rest } = checkpoint;
  await writeSafetensors(join(temporary, STATE), tensors);
  moment(`checkpoint:${checkpoint.step}:state`);
  const manifest = { format: CHECKPOINT_FORMAT, ...rest, state: await describe(join(temporary, STATE)) };
  await writeAtomically(join(temporary, MANIFEST), [JSON.stringify(manifest, null, 2)]);
  moment(`checkpoint:${checkpoint.step}:rename`);
}

async function removeStale(options: CheckpointOptions, last: number): Promise<void> {
  const { directory, best } = options;
  const steps = (await saved(directory)).map(stepOf);
  const present = await Promise.all(
    steps
      .filter((step) => step <= last)
      .map(async (step) => ({ step, score: best && (await scoreOf(join(directory, nameOf(step)))) })),
  );
  const staying = retained(present, options);
  await Promise.all(
    steps.filter((step) => !staying.has(step)).map((step) => remove(directory, nameOf(step))),
  );
}

async function scoreOf(checkpoint: string): Promise<number | undefined> {
  return parseManifest(await readFile(join(checkpoint, MANIFEST), 'utf8').catch(() => ''))?.score;
}

/** As a whole, too: renamed first, so that whoever is killed meanwhile leaves no part under its name. */
async function remove(directory: string, name: string): Promise<void> {
  const aside = join(directory, `.${name}.removing`);
  await rename(join(directory, name), aside).catch(unlessMissing);
  await rm(aside, { recursive: true, force: true });
}

/** What killed processes left of writing and removing. */
async function removeLeftovers(directory: string): Promise<void> {
  const left = (await readdir(directory)).filter((name) => /^\.step-\d+\.(writing|removing)$/.test(name));
  await Promise.all(left.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

function unlessMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

async function latest({ directory, warn }: CheckpointOptions): Promise<Checkpoint | undefined> {
  const names = await saved(directory);
  const failures: string[] = [];
  for (const name of names) {
    try {
      const checkpoint = await read(join(directory, name));
      failures.forEach((failure) => warn(`${failure}; going back to ${name}`));
      return checkpoint;
    } catch (error) {
      if (!(error instanceof LatstreamError)) throw error;
      failures.push(error.message);
    }
  }
  if (failures.length === 0) return undefined;
  return complain({
    code: 'CHECKPOINT_ALL_CORRUPT',
    owner: `checkpoints in ${directory}`,
    expected: 'at least one whole checkpoint',
    got: failures.join(' | '),
    hint: 'remove the directory to start anew, or restore it from a copy',
  });
}

/** Names of finished checkpoints, newest first. */
async function saved(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => NAME.test(name)).sort((a, b) => stepOf(b) - stepOf(a));
}

function nameOf(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}

function stepOf(name: string): number {
  return Number(NAME.exec(name)?.[1]);
}

/**
 * Reads one checkpoint.
 * @throws CHECKPOINT_CORRUPT, CHECKPOINT_VERSION
 */
async function read(directory: string): Promise<Checkpoint> {
  const corrupt = (got: string): never =>
    complain({
      code: 'CHECKPOINT_CORRUPT',
      owner: `checkpoint ${directory}`,
      expected: `${MANIFEST} and the ${STATE} that it describes`,
      got,
      hint: 'an older checkpoint can take its place',
    });
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch(() =>
    corrupt(`no readable ${MANIFEST}`),
  );
  const manifest = parseManifest(text) ?? corrupt(`a ${MANIFEST} that is no JSON object`);
  if (manifest.format.version !== CHECKPOINT_FORMAT.version) refuseVersion(directory, manifest);
  const state = await describe(join(directory, STATE)).catch(() => corrupt(`no readable ${STATE}`));
  if (state.bytes !== manifest.state.bytes)
    corrupt(`${state.bytes} bytes instead of ${manifest.state.bytes} in ${STATE}`);
  if (state.sha256 !== manifest.state.sha256) corrupt(`a ${STATE} of another digest`);
  const { step, seed, cursor, updates, unevaluated, passes, score, pool, fingerprint } = manifest;
  const { tensors } = await readSafetensors(join(directory, STATE));
  const optional = {
    ...(unevaluated && { unevaluated }),
    ...(passes && { passes }),
    ...(score !== undefined && { score }),
    ...(pool && { pool }),
  };
  return { step, seed, cursor, updates, ...optional, fingerprint, tensors };
}

function refuseVersion(directory: string, manifest: Manifest): never {
  return complain({
    code: 'CHECKPOINT_VERSION',
    owner: `checkpoint ${directory}`,
    expected: `version ${CHECKPOINT_FORMAT.version} of the format`,
    got: `version ${manifest.format.version}`,
    hint: 'resume with the version of latstream that wrote it',
  });
}
