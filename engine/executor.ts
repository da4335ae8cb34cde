/** @file What runs programs: the seam between what is computed and where. Knows nothing about tfjs or ONNX. */
import type { Tensor } from './ops.js';
import type { HalfTensor, HostTensor, Value } from './tensor.js';
import type { Precision } from './precision.js';
import type { Tree } from './tree.js';

/** A function over trees of tensors, written with `ops`; pure, and free of data-dependent control flow. */
export interface Definition<A extends Tree<Tensor> = Tree<Tensor>, R extends Tree<Tensor> = Tree<Tensor>> {
  /** Names the program in caches, profiles and messages. Two definitions of one name must compute the same. */
  readonly name: string;
  readonly compute: (args: A) => R;
}

/** The same tree with executor-owned values in place of symbolic tensors. */
export type ValuesOf<T> = T extends Tensor ? Value : { readonly [K in keyof T]: ValuesOf<T[K]> };

/** Leaves by path, as {@link flatten} names them. */
export type Leaves<T> = ReadonlyMap<string, T>;

/** A definition together with the shapes and types of its arguments: what an executor compiles. */
export interface Signature {
  readonly name: string;
  readonly compute: (args: Tree<Tensor>) => Tree<Tensor>;
  /** The argument tree, with shapes and types at the leaves. */
  readonly args: Tree<Value>;
}

/** A compiled program for one set of shapes. */
export interface Executable {
  /** An estimate of the memory this executable holds between runs, in bytes. */
  readonly bytes: number;
  /**
   * Runs once.
   * @param inputs values by argument path; those that the result does not depend on are ignored.
   * @param into where to write results, by output path; outputs that are not named get fresh values. Never an input.
   */
  run(inputs: Leaves<Value>, into: Leaves<Value>): Promise<Leaves<Value>>;
  /** Releases everything; awaited, since unreleased sessions leak. */
  dispose(): Promise<void>;
}

/** A compiled loop: `once` is run when the loop begins, and `each`, every time, takes its results besides the arguments. */
export interface ExecutableLoop {
  readonly once?: Executable;
  readonly each: Executable;
}

/** A place where programs run and values live. */
export interface Executor {
  /** `onnxruntime-cpu`, `tfjs-cpu`, …: stored in checkpoints, since bits depend on it. */
  readonly name: string;
  /** In how many bits it computes what need not be float32: float32 if not given. */
  readonly precision?: Precision;
  /** Version of the runtime and what else decides bits (threads). */
  readonly fingerprint: Readonly<Record<string, string | number>>;
  /**
   * Host data as a value. On CPU the value may share the memory: do not write to it afterwards. Programs see 16-bit floats as
   * float32, and cast them where they read them.
   */
  upload(tensor: HostTensor | HalfTensor): Value;
  /** A value's data, 16-bit floats as float32. On CPU this may be a view that the next run overwrites: copy what must stay. */
  download(value: Value): Promise<HostTensor>;
  compile(signature: Signature): Promise<Executable>;
  /** @param varies tells by path which arguments change between the runs of a loop. */
  compileLoop(signature: Signature, varies: (path: string) => boolean): Promise<ExecutableLoop>;
  dispose(): Promise<void>;
}
