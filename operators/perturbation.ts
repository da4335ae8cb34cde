/**
 * @file The state of a latent perturbation: one vector per site, row and slot, with AdamW's moments, and the
 * buffers they live in. Knows nothing about losses or how the perturbation is found.
 */
import { float32, type Engine, type HostTensor, type Value } from '../engine/index.js';
import type { Passes } from './passes.js';

/** One value per site. */
export type PerSite<T> = Readonly<Record<string, T>>;

/** What an attack optimizes, by name ({@link Adversary}), and AdamW's moments. Float32, a row of the batch per first index. */
export type PerturbationState<T = Value> = {
  readonly parameters: Readonly<Record<string, T>>;
  readonly m: PerSite<T>;
  readonly v: PerSite<T>;
};

/** A perturbation that an attack has found for the rows of one batch. */
export interface Perturbation {
  /** δ by site, [B, P, D] float32; row b, slot p is added where the batch's `slots` name p in row b. */
  readonly deltas: PerSite<Value>;
  /** The batch's slots, int32 [B, T]: where δ goes. */
  readonly slots: Value;
  readonly trace: readonly AttackTrace[];
  /** Gradient of the last iteration for what is optimized, by its name; only where the attack was asked to keep it. */
  readonly gradients?: PerSite<Value>;
  /** What it took to find; a run counts nothing for an attack that does not say. */
  readonly passes?: Passes;
  /** What the user should know, e.g. that ε never bound. */
  readonly warnings: readonly string[];
  /** Gives the memory back; the values must not be used afterwards. Optional: without it, it is collected. */
  release(): void;
}

/** One iteration of an attack: losses before its update, norms after it. */
export interface AttackTrace {
  readonly iteration: number;
  /** The objective: coefficients times losses. */
  readonly loss: number;
  /** Losses without their coefficients, by name; only those that are used. */
  readonly losses: Readonly<Record<string, number>>;
  /** Largest realised L2 norm of a token's vector, by site. */
  readonly norms: PerSite<number>;
  /** Mean realised L2 norm over perturbed tokens, by site. */
  readonly meanNorms: PerSite<number>;
  /** Largest norm in the space, units and grouping that ε bounds, by site; where it is not given, that is `norms`. */
  readonly bounded?: PerSite<number>;
}

/** The L2 norm of every vector along the last axis. */
export function vectorNorms({ data, shape }: HostTensor): Float32Array {
  const width = shape.at(-1) as number;
  const norms = new Float32Array(data.length / width);
  for (let vector = 0; vector < norms.length; vector++) {
    let sum = 0;
    for (let at = vector * width; at < (vector + 1) * width; at++) sum += (data[at] as number) ** 2;
    norms[vector] = Math.sqrt(sum);
  }
  return norms;
}

/** Buffers of one shape. */
interface Shelf {
  blank?: Value;
  readonly free: Value[];
}

/**
 * Memory for perturbation states, reused between attacks of one shape: a long run holds its resident memory flat.
 * What is taken is never handed out again before it was given back.
 */
export class StateBuffers {
  /** By shape, the one that was used last at the end. */
  private readonly shelves = new Map<string, Shelf>();

  /** @param shapes buffers of so many shapes are kept, those used last; batches of ever new lengths would fill memory. */
  constructor(
    private readonly engine: Engine,
    private readonly shapes = Infinity,
  ) {}

  /** A zero tensor that nobody writes to. */
  zeros(shape: readonly number[]): Value {
    const shelf = this.shelf(shape);
    return (shelf.blank ??= this.engine.upload(float32(shape)));
  }

  take(shape: readonly number[]): Value {
    return this.shelf(shape).free.pop() ?? this.engine.upload(float32(shape));
  }

  give(value: Value): void {
    this.shelf(value.shape).free.push(value);
  }

  /** One value per name, each of its shape. */
  takeAll(shapes: Readonly<Record<string, readonly number[]>>): Record<string, Value> {
    return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, this.take(shape)]));
  }

  giveAll(values: Readonly<Record<string, Value>>): void {
    for (const value of Object.values(values)) this.give(value);
  }

  private shelf(shape: readonly number[]): Shelf {
    const key = shape.join();
    const shelf = this.shelves.get(key) ?? { free: [] };
    this.shelves.delete(key);
    this.shelves.set(key, shelf);
    const [oldest] = this.shelves.keys();
    if (this.shelves.size > this.shapes && oldest !== undefined) this.shelves.delete(oldest);
    return shelf;
  }
}
