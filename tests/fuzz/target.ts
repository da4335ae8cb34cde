/** @file What is fuzzed: valid files made in code, how they are damaged, and the reader that must bear it. */
import type fc from 'fast-check';

/** Files of a folder by name. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** Something done to the bytes of a file; `other` is another valid file to take pieces from. */
export type Mutation = (bytes: Uint8Array, other: Uint8Array) => Uint8Array;

/** A reader under test. */
export interface Target {
  readonly name: string;
  /** Its share of a campaign's cases. */
  readonly weight: number;
  /** Small valid inputs, made in code; `scratch` is a folder for writers that need one. */
  seeds(scratch: string): Promise<readonly Files[]>;
  /** What is done to one file of a seed. */
  mutations(file: string): fc.Arbitrary<Mutation>;
  /**
   * Reads the files in a folder. It may return or throw an error of ours; anything else is a failure, as is a process
   * that ends, hangs or grows. Throw {@link Broken} where it returned something that cannot be.
   */
  run(folder: string, files: Files): Promise<void>;
}

/** A reader that returned what it must not: never an error of ours. */
export class Broken extends Error {
  override readonly name = 'Broken';
}
