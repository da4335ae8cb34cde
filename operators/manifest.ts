/** @file What a checkpoint holds, and what describes it beside its tensors: `checkpoint.json`, with the digest of the state. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { HostTensor } from '../engine/index.js';
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
  /** What the metric of {@link Retention} was at this step. */
  readonly score?: number | undefined;
  /** Requests and suffixes, where these are searched all through the run. */
  readonly pool?: PoolState;
  /** Executor, runtime version, threads: what bits depend on. */
  readonly fingerprint: Readonly<Record<string, string | number>>;
  /** Trained parameters and the optimizer's moments, by name. */
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

export type Manifest = Omit<Checkpoint, 'tensors'> & {
  readonly format: { readonly name: string; readonly version: number };
  readonly state: FileDescription;
};

/** What a file was when it was whole. */
export interface FileDescription {
  readonly bytes: number;
  readonly sha256: string;
}

/** Undefined where it is none. */
export function parseManifest(text: string): Manifest | undefined {
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

export async function describe(path: string): Promise<FileDescription> {
  const { size } = await stat(path);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return { bytes: size, sha256: hash.digest('hex') };
}
