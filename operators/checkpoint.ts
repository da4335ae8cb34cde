/**
 * @file A run's state on disk, version 1: `step-000120/` holds `state.safetensors` (parameters, moments) and
 * `checkpoint.json` (everything else, with the digest of the former). A directory appears whole or not at all:
 * it is written under a temporary name, synced, and renamed. Knows nothing about what the tensors mean.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostTensor } from '../engine/index.js';
import { readSafetensors, syncFolder, writeAtomically, writeSafetensors } from '../formats/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { moment } from './moment.js';
import type { Passes } from './passes.js';
import type { PoolState } from './suffix/pool.js';

export const CHECKPOINT_FORMAT = { name: 'latstream-checkpoint', version: 1 } as const;

/** Everything that a resumed run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  readonly seed: number;
  /** Where the data stand: what `datasets` gave with the last batch that was used. JSON. */
  readonly cursor: unknown;
  /** Updates done by the optimizer, for its bias corrections and schedule. */
  readonly updates: number;
  /** The evaluation that was due after this step was stopped: who resumes makes it first. */
  readonly unevaluated?: true;
  /** Computed so far; unknown in checkpoints from before it was counted. */
  readonly passes?: Passes;
  /** Requests and suffixes, where these are searched all through the run. */
  readonly pool?: PoolState;
  /** Executor, runtime version, threads: what bits depend on. */
  readonly fingerprint: Readonly<Record<string, string | number>>;
  /** Trained parameters and the optimizer's moments, by name. */
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

export interface CheckpointStore {
  /**
   * Writes a checkpoint, then removes those of later steps (a resume passed them over: they are damaged) and all but
   * the last `keep` of the others. Returns its directory.
   */
  readonly save: (checkpoint: Checkpoint) => Promise<string>;
  /**
   * The newest checkpoint that is whole; each damaged one before it is reported through `warn`.
   * @returns undefined where there is none at all.
   * @throws CHECKPOINT_ALL_CORRUPT where there are some and none can be used.
   */
  readonly latest: () => Promise<Checkpoint | undefined>;
}

export interface CheckpointOptions {
  readonly directory: string;
  /** How many are kept, at least 1. */
  readonly keep: number;
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

async function save({ directory, keep }: CheckpointOptions, checkpoint: Checkpoint): Promise<string> {
  await mkdir(directory, { recursive: true });
  const name = `step-${String(checkpoint.step).padStart(6, '0')}`;
  await removeLeftovers(directory);
  const temporary = join(directory, `.${name}.writing`);
  await mkdir(temporary);
  const { tensors, ...rest } = checkpoint;
  await writeSafetensors(join(temporary, STATE), tensors);
  moment(`checkpoint:${checkpoint.step}:state`);
  const manifest = { format: CHECKPOINT_FORMAT, ...rest, state: await describe(join(temporary, STATE)) };
  await writeAtomically(join(temporary, MANIFEST), [JSON.stringify(manifest, null, 2)]);
  moment(`checkpoint:${checkpoint.step}:rename`);
  const final = join(directory, name);
  await remove(directory, name);
  await rename(temporary, final);
  await syncFolder(directory);
  moment(`checkpoint:${checkpoint.step}:done`);
  const names = await saved(directory);
  const here = names.indexOf(name);
  const stale = [...names.slice(0, here), ...names.slice(here + keep)];
  await Promise.all(stale.map((each) => remove(directory, each)));
  return final;
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
  const step = (name: string): number => Number(NAME.exec(name)?.[1]);
  return names.filter((name) => NAME.test(name)).sort((a, b) => step(b) - step(a));
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
  const manifest = parse(text) ?? corrupt(`a ${MANIFEST} that is no JSON object`);
  if (manifest.format.version !== CHECKPOINT_FORMAT.version) refuseVersion(directory, manifest);
  const state = await describe(join(directory, STATE)).catch(() => corrupt(`no readable ${STATE}`));
  if (state.bytes !== manifest.state.bytes)
    corrupt(`${state.bytes} bytes instead of ${manifest.state.bytes} in ${STATE}`);
  if (state.sha256 !== manifest.state.sha256) corrupt(`a ${STATE} of another digest`);
  const { step, seed, cursor, updates, unevaluated, passes, pool, fingerprint } = manifest;
  const { tensors } = await readSafetensors(join(directory, STATE));
  const optional = { ...(unevaluated && { unevaluated }), ...(passes && { passes }), ...(pool && { pool }) };
  return { step, seed, cursor, updates, ...optional, fingerprint, tensors };
}

type Manifest = Omit<Checkpoint, 'tensors'> & {
  readonly format: { readonly name: string; readonly version: number };
  readonly state: FileDescription;
};

interface FileDescription {
  readonly bytes: number;
  readonly sha256: string;
}

function parse(text: string): Manifest | undefined {
  try {
    const json = JSON.parse(text) as Partial<Manifest> | null;
    const whole =
      json?.format?.name === CHECKPOINT_FORMAT.name &&
      json.state !== undefined &&
      Number.isInteger(json.step);
    return whole ? (json as Manifest) : undefined;
  } catch {
    return undefined;
  }
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

async function describe(path: string): Promise<FileDescription> {
  const { size } = await stat(path);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return { bytes: size, sha256: hash.digest('hex') };
}
