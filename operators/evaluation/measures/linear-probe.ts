/** @file Linear probes: whether a linear function of the residual stream tells which answer is true, said or not. */
import { pack, type PackedBatch } from '../../../datasets/index.js';
import { permutation, wilson, type Interval } from '../../../foundation/index.js';
import type { ChoiceQuestion } from './choices.js';
import { dot, ridgeWeights } from './ridge.js';

/** What a probe finds in a table. */
export interface Recall {
  /** Questions that it was not trained on. */
  readonly n: number;
  /** What guessing reaches. */
  readonly chance: number;
  /** Block after which states are read, from 0: where probes do best on held-out parts of what they are trained on. */
  readonly block: number;
  /** Share of the n questions whose true answer it ranks first. */
  readonly accuracy: Interval;
}

/** Candidates of one question: states [K][D] at the last token of each answer, and which is true. */
export interface Probed {
  readonly states: readonly Float64Array[];
  readonly right: number;
}

const RIDGE = 0.1;

/**
 * Trains on one half of the questions, drawn by chance, and asks the other.
 * @param states the residual stream after each block at the state of each row's label: [B · D] by block.
 * @returns undefined for fewer than 8 questions.
 */
export async function linearProbe(
  states: (batch: PackedBatch) => Promise<readonly Float32Array[]>,
  questions: readonly ChoiceQuestion[],
  onQuestion: () => Promise<void>,
): Promise<Recall | undefined> {
  if (questions.length < 8) return undefined;
  const blocks: Probed[][] = [];
  for (const { promptTokens, letters, right } of questions) {
    await onQuestion();
    // The state that would predict a token after the answer; which one does not matter.
    const rows = letters.map((answer) => ({ prompt: [...promptTokens, ...answer], desired: [0] }));
    const found = await states(pack(rows, { attacked: 'none' }));
    found.forEach((data, block) => {
      const width = data.length / rows.length;
      const own = rows.map((_, at) => Float64Array.from(data.subarray(at * width, (at + 1) * width)));
      (blocks[block] ??= []).push({ states: own, right });
    });
  }
  return recallOf(blocks);
}

/** @param blocks the same questions by block. */
export function recallOf(blocks: readonly (readonly Probed[])[]): Recall {
  const count = blocks[0]?.length ?? 0;
  const order = [...permutation(count, 0, 'linear-probe')];
  const half = Math.ceil(count / 2);
  const [train, test] = [order.slice(0, half), order.slice(half)];
  const quarter = Math.ceil(half / 2);
  const [fit, choose] = [train.slice(0, quarter), train.slice(quarter)];
  const scores = blocks.map(
    (all) => hits(of(all, fit), of(all, choose)) + hits(of(all, choose), of(all, fit)),
  );
  const block = scores.indexOf(Math.max(...scores));
  const chosen = blocks[block] ?? [];
  const asked = of(chosen, test);
  return {
    n: asked.length,
    chance: asked.reduce((sum, { states }) => sum + 1 / states.length, 0) / asked.length,
    block,
    accuracy: wilson(hits(of(chosen, train), asked), asked.length),
  };
}

/** How many questions a probe that is trained on others gets right. */
function hits(train: readonly Probed[], asked: readonly Probed[]): number {
  const centred = train.flatMap(({ states }) => aroundTheirMean(states));
  const deviations = deviationsOf(centred);
  const scaled = centred.map((row) => row.map((value, at) => value * (deviations[at] as number)));
  const targets = train.flatMap(({ states, right }) =>
    states.map((_, at) => Number(at === right) - 1 / states.length),
  );
  const weights = ridgeWeights(scaled, targets, RIDGE).map((value, at) => value * (deviations[at] as number));
  return asked.filter(({ states, right }) => {
    const said = states.map((state) => dot(state, weights));
    return said.indexOf(Math.max(...said)) === right;
  }).length;
}

/** What candidates of one question share tells nothing of which is true. */
function aroundTheirMean(states: readonly Float64Array[]): Float64Array[] {
  return states.map((state) =>
    state.map(
      (value, at) => value - states.reduce((sum, each) => sum + (each[at] as number), 0) / states.length,
    ),
  );
}

/** One over the deviation of each dimension, 0 where it has none: a few dimensions are far larger than others. */
function deviationsOf(rows: readonly Float64Array[]): Float64Array {
  return Float64Array.from(rows[0] ?? [], (_, at) => {
    const squares = rows.reduce((sum, row) => sum + (row[at] as number) ** 2, 0) / rows.length;
    return squares > 0 ? 1 / Math.sqrt(squares) : 0;
  });
}

function of<T>(all: readonly T[], places: readonly number[]): T[] {
  return places.map((at) => all[at] as T);
}
