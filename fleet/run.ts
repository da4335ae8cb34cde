/** @file A run as a shared queue keeps it. Types only. */
import type { Live, StoredRun } from '../daemon/index.js';

export interface FleetRun extends StoredRun {
  /** The daemon that has it, or had it last. */
  readonly node: string | null;
  /** Its machine. */
  readonly worker: string | null;
  /** What stands for it in BullMQ while it waits or has a process; any other job of it means nothing any more. */
  readonly job: string | null;
  /** The last write, by which whoever did not hear the answer knows that it was made. */
  readonly write: string;
}

/** What Redis knows beside it. */
export interface Kept {
  readonly run: FleetRun;
  /** Counts changes of {@link run}. */
  readonly version: number;
  /** Counts takings: what a worker writes names the epoch that it took the run with. */
  readonly epoch: number;
  readonly live: Live | null;
}

/** A run that this worker has, as long as its epoch is the newest. */
export interface Taken {
  readonly run: FleetRun;
  readonly version: number;
  readonly epoch: number;
  readonly recipe: unknown;
  readonly manifest: Manifest | undefined;
}

/** A run's directory as it was committed: what is in which file, in pieces. */
export interface Manifest {
  readonly files: Readonly<Record<string, ManifestFile>>;
}

export interface ManifestFile {
  readonly bytes: number;
  /** Of all of them; not there where an older version wrote it. */
  readonly sha256?: string;
  readonly pieces: readonly Piece[];
}

/** Some bytes of the store, named by what they are and by who wrote them: no name is ever written again after it was removed. */
export interface Piece {
  /** Epoch of the worker, and which of its publishings: `3.17`. */
  readonly batch: string;
  readonly sha256: string;
}
