/**
 * @file Random starts of attacks, keyed by what each row says: a row gets the same draws in whatever batch, beside whatever
 * padding it comes. Host numbers only.
 */
import type { PackedBatch } from '../../datasets/index.js';
import { float32, sizeOf, type HostTensor } from '../../engine/index.js';
import { draws, type Draws } from '../../foundation/index.js';
import { holdsVectors, type Adversary } from './adversary.js';
import { attackedSlots } from '../feed.js';

/** What the draws are a function of, beside the row. */
export interface StartKey {
  readonly seed: number;
  readonly step: number;
  readonly restart: number;
}

/**
 * Parameters at random: vectors uniform in the ball of radius ε, or on its surface; functions whose outputs are of ε's size.
 * @param shapes of the parameters, by name.
 */
export function randomStart(
  adversary: Adversary,
  shapes: Readonly<Record<string, readonly number[]>>,
  batch: PackedBatch,
  epsilon: number,
  key: StartKey,
  onSurface = false,
): Record<string, HostTensor> {
  const attacked = attackedSlots(batch);
  const texts = Array.from({ length: batch.rows }, (_, row) => textOf(batch, row));
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const each = sizeOf(shape) / batch.rows;
      const data = new Float32Array(sizeOf(shape));
      texts.forEach((text, row) => {
        const draw = draws(key.seed, 'attack-start', key.step, key.restart, name, text);
        const into = data.subarray(row * each, (row + 1) * each);
        if (!holdsVectors(adversary)) fill(into, draw, functionScale(name, adversary, shape, epsilon));
        else
          vectors(into, draw, attacked.subarray(row * batch.slotCount), adversary, shape, epsilon, onSurface);
      });
      return [name, float32(shape, data)];
    }),
  );
}

/** A of a low-rank function, random even where δ starts at zero: with both matrices zero, no gradient reaches either. */
export function lowRankStart(
  adversary: Adversary,
  shapes: Readonly<Record<string, readonly number[]>>,
  batch: PackedBatch,
  key: StartKey,
): Record<string, HostTensor> {
  const first = Object.entries(shapes).filter(([name]) => name.endsWith(':A'));
  return randomStart(adversary, Object.fromEntries(first), batch, 0, key);
}

/** Deviation of the entries of a function's matrix, such that it takes a vector of length 1 to one of length about ε. */
function functionScale(name: string, { rank }: Adversary, shape: readonly number[], epsilon: number): number {
  const width = shape[2] as number;
  if (name.endsWith(':A')) return 1;
  return name.endsWith(':B') ? epsilon / Math.sqrt(width * rank) : epsilon / Math.sqrt(2 * width);
}

function fill(into: Float32Array, draw: Draws, scale: number): void {
  for (let at = 0; at < into.length; at++) into[at] = scale * draw.normal();
}

/** One row's vectors, in each group uniform in the ball: a random direction, at radius ε·u^(1/n) for n dimensions. */
function vectors(
  into: Float32Array,
  draw: Draws,
  attacked: Float32Array,
  { per }: Adversary,
  shape: readonly number[],
  epsilon: number,
  onSurface: boolean,
): void {
  const [, slots, width] = shape as [number, number, number];
  const used = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => attacked[slot] === 1);
  const groups = per === 'token' ? used.map((slot) => [slot]) : [used];
  for (const group of groups) {
    let square = 0;
    for (const slot of group)
      for (let at = slot * width; at < (slot + 1) * width; at++) {
        const value = draw.normal();
        into[at] = value;
        square += value ** 2;
      }
    const share = onSurface ? 1 : draw.uniform() ** (1 / (group.length * width));
    const scale = (epsilon * share) / Math.sqrt(square);
    for (const slot of group)
      for (let at = slot * width; at < (slot + 1) * width; at++) into[at] = (into[at] as number) * scale;
  }
}

/** A row without its padding. */
function textOf(batch: PackedBatch, row: number): string {
  const columns = Array.from({ length: batch.length }, (_, column) => row * batch.length + column);
  return columns
    .filter((at) => batch.segments[at] !== 0)
    .map((at) => `${batch.segments[at]}:${batch.tokens[at]}`)
    .join(' ');
}
