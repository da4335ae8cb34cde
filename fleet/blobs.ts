/** @file Where the pieces of runs' directories are kept: bytes by name, written whole or not at all. */

/** What a store is known by: under this name, all of a queue's workers read the same. */
export const IDENTITY = 'latstream-store';

/** Names are of letters, digits, dots, dashes and slashes. Every method throws FLEET_STORE where the store refuses. */
export interface BlobStore {
  /** For people; without credentials. */
  readonly shown: string;
  /** Durable when it resolves. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined where there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Names that begin so. */
  list(prefix: string): Promise<readonly string[]>;
  /** What is not there is as good as removed. */
  remove(names: readonly string[]): Promise<void>;
}
