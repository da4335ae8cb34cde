/** @file The scale of a defence's losses from update to update: halved where gradients overflow, doubled when they have not for long. */
import {
  firstScale,
  float32,
  grown,
  shrunk,
  type Engine,
  type HostTensor,
  type LossScaling,
  type ScaleState,
  type Value,
} from '../../engine/index.js';
import type { PerSite } from '../perturbation.js';
import { uploadScalars } from '../scalars.js';
import { stateMismatch } from './errors.js';

/** Where the scale is among saved tensors. */
const SAVED = 'lossScale';

/** A scale that changes. */
export class LossScale {
  private state: ScaleState;

  constructor(private readonly scaling: LossScaling) {
    this.state = firstScale(scaling);
  }

  get now(): number {
    return this.state.scale;
  }

  /** The last update's gradients were finite. */
  succeeded(): void {
    this.state = grown(this.state, this.scaling);
  }

  /** They were not. @returns whether a smaller scale may help. */
  failed(): boolean {
    const smaller = shrunk(this.state);
    this.state = smaller ?? this.state;
    return smaller !== undefined;
  }

  save(): Record<string, HostTensor> {
    return { [SAVED]: float32([2], [this.state.scale, this.state.good]) };
  }

  /** @throws STATE_MISMATCH where the state was saved without a scale. */
  restore(tensors: Readonly<Record<string, HostTensor>>): void {
    const tensor = tensors[SAVED];
    if (!tensor) return stateMismatch(SAVED, [2], undefined);
    const [scale = 1, good = 0] = tensor.data;
    this.state = { scale, good };
  }
}

/** The scale as an argument of a program; nothing where there is none. */
export type Scale = { readonly scale?: Value };

/** Writes the next state to `target`; gives the losses and, last, the gradient's norm. */
export type ScaledUpdate<O, S> = (
  optimizer: O,
  target: S,
  scale: Scale,
) => Promise<{ readonly figures: number[]; readonly leftover?: PerSite<Value> }>;

/** An update, made again with a smaller scale while its losses are finite and their gradients are not. */
export async function scaledUpdate<O, S>(
  engine: Engine,
  scale: LossScale | undefined,
  update: ScaledUpdate<O, S>,
  optimizer: O,
  target: S,
): Promise<
  Awaited<ReturnType<ScaledUpdate<O, S>>> & { readonly attempts: number; readonly lossScale?: number }
> {
  for (let attempts = 1; ; attempts++) {
    const used = scale?.now;
    const found = await update(
      optimizer,
      target,
      used === undefined ? {} : uploadScalars(engine, { scale: used }),
    );
    const norm = found.figures.at(-1) as number;
    const isOverflow = !Number.isFinite(norm) && found.figures.slice(0, -1).every(Number.isFinite);
    if (isOverflow && scale?.failed()) continue;
    if (!isOverflow) scale?.succeeded();
    return { ...found, attempts, ...(used !== undefined && { lossScale: used }) };
  }
}
