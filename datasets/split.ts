/** @file Splits a batch by rows into microbatches whose losses add up to the batch's. Knows nothing about text or files. */
import { complain } from '../foundation/index.js';
import type { Completion, LabelSet, PackedBatch } from './batch.js';
import { bucket } from './bucket.js';

/** Consecutive rows of a batch. */
export interface Microbatch extends PackedBatch {
  /** Its first row in the whole batch: where its part of a perturbation starts. */
  readonly firstRow: number;
}

/**
 * Splits a batch. Weights stay those of the whole batch, so losses and gradients of the parts add up to the batch's.
 * All parts share length, slots and label sizes; rows differ by at most one (not at all where `parts` divides them).
 * @param parts how many, at most one per row.
 * @throws SPLIT_PARTS where there are fewer rows than parts.
 */
export function splitBatch(batch: PackedBatch, parts: number): Microbatch[] {
  if (!Number.isInteger(parts) || parts < 1 || parts > batch.rows) return tooMany(batch, parts);
  const bounds = Array.from({ length: parts + 1 }, (_, part) => boundary(batch.rows, parts, part));
  const ranges = bounds.slice(1).map((end, part) => ({ from: bounds[part] as number, end }));
  const counts = Object.values(batch.labels).flatMap((labels) =>
    ranges.map(({ from, end }) => inside(labels, from * batch.length, end * batch.length).length),
  );
  const size =
    parts === 1 ? labelSize(batch) : bucket({ length: 0, slots: 0, labels: Math.max(...counts, 0) }).labels;
  return ranges.map(({ from, end }) => rowsOf(batch, from, end, Math.min(size, labelSize(batch))));
}

/** Larger parts first, so that there are at most two shapes. */
function boundary(rows: number, parts: number, part: number): number {
  return part * Math.floor(rows / parts) + Math.min(part, rows % parts);
}

function rowsOf(batch: PackedBatch, from: number, end: number, labelCount: number): Microbatch {
  const [first, last] = [from * batch.length, end * batch.length];
  const labels: Partial<Record<Completion, LabelSet>> = {};
  for (const completion of Object.keys(batch.labels) as Completion[]) {
    const whole = batch.labels[completion];
    if (whole) labels[completion] = take(whole, inside(whole, first, last), first, labelCount);
  }
  return {
    firstRow: from,
    rows: end - from,
    rowWeight: batch.rowWeight,
    length: batch.length,
    slotCount: batch.slotCount,
    tokens: batch.tokens.slice(first, last),
    positions: batch.positions.slice(first, last),
    segments: batch.segments.slice(first, last),
    slots: batch.slots.slice(first, last),
    labels,
  };
}

/** Which real labels are predicted by states in [first, last). */
function inside(labels: LabelSet, first: number, last: number): number[] {
  return [...labels.index.keys()].filter((at) => {
    const index = labels.index[at] as number;
    return labels.weights[at] !== 0 && index >= first && index < last;
  });
}

function take(labels: LabelSet, chosen: readonly number[], shift: number, size: number): LabelSet {
  const part = {
    index: new Int32Array(size),
    tokens: new Int32Array(size),
    weights: new Float32Array(size),
  };
  chosen.forEach((from, to) => {
    part.index[to] = (labels.index[from] as number) - shift;
    part.tokens[to] = labels.tokens[from] as number;
    part.weights[to] = labels.weights[from] as number;
  });
  return part;
}

function labelSize(batch: PackedBatch): number {
  return Math.max(0, ...Object.values(batch.labels).map((labels) => labels.index.length));
}

function tooMany(batch: PackedBatch, parts: number): never {
  return complain({
    code: 'SPLIT_PARTS',
    owner: 'splitBatch',
    expected: `between 1 and ${batch.rows} microbatches, the rows of the batch`,
    got: `${parts}`,
    hint: 'lower microbatches or raise the batch size',
  });
}
