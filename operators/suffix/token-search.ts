/** @file A search for a suffix under which a model complies with one request, or with each of several, by gradients and by trying. Resumable. */
import { pack, type PackedBatch, type Tokenizer } from '../../datasets/index.js';
import { draws } from '../../foundation/index.js';
import { allPasses, NO_PASSES, type Passes } from '../passes.js';
import type { Propose } from './proposals.js';
import { plainTokens, type Suffix } from './suffix.js';

/** What a search sees of a model. Completions are the desired ones of a batch. */
export interface TokenLosses {
  /** Mean cross-entropy of each row's completion, [B]. */
  rowLosses(batch: PackedBatch): Promise<Float32Array>;
  /**
   * By how much the mean cross-entropy of the completions would change, to first order, where another token stood at a
   * slot: [B, P, V], up to a constant for each slot.
   */
  tokenSlopes(batch: PackedBatch): Promise<Float32Array>;
}

/** How a search goes on from what it has. */
export interface Strategy {
  readonly name: string;
  readonly propose: Propose;
  /** Suffixes that are tried in an iteration. */
  readonly candidates: number;
  /** Replacements at a place that are considered. */
  readonly top: number;
  /** Whether the best of an iteration takes the place of a better one before it; the best of all is kept anyhow. */
  readonly wanders: boolean;
}

/** A request, and what the model shall say to it. */
export interface Sought {
  readonly suffix: Suffix;
  readonly target: readonly number[];
}

/** What is searched for. */
export interface Aim {
  readonly model: TokenLosses;
  readonly tokenizer: Tokenizer;
  /** Requests that share one suffix. */
  readonly requests: readonly Sought[];
  /** The suffix that the search begins with. */
  readonly start: readonly number[];
  /** Rows that are run together. */
  readonly batch: number;
  /** What chance is a function of, beside the iteration. */
  readonly seed: number;
  readonly key: readonly number[];
}

/** A suffix, and what it does. */
export interface Tried {
  readonly tokens: readonly number[];
  /** Mean cross-entropy of the target, mean over the requests. */
  readonly loss: number;
}

/** Proposals that may be read as something else by the tokenizer, for each that is wanted. */
const PATIENCE = 8;

export class TokenSearch {
  private done = 0;
  private current: Tried | undefined;
  private found: Tried | undefined;
  private spent = NO_PASSES;

  constructor(
    private readonly aim: Aim,
    private readonly strategy: Strategy,
  ) {}

  /** The best suffix after so many iterations in all. What was done is not done again. */
  async upTo(iterations: number): Promise<Tried> {
    const { start } = this.aim;
    this.current ??= { tokens: start, loss: (await this.losses([start]))[0] as number };
    this.found ??= this.current;
    for (; this.done < iterations; this.done++) {
      const best = await this.bestFrom(this.current);
      if (best && (this.strategy.wanders || best.loss < this.current.loss)) this.current = best;
      if (this.current.loss < this.found.loss) this.found = this.current;
    }
    return this.found;
  }

  /** What all iterations together took. */
  get passes(): Passes {
    return this.spent;
  }

  private async bestFrom({ tokens }: Tried): Promise<Tried | undefined> {
    const { tokenizer, requests, seed, key } = this.aim;
    const { propose, top, candidates, name } = this.strategy;
    const sloped = { tokens, slopes: await this.slopes(tokens), allowed: plainTokens(tokenizer) };
    const tried: (readonly number[])[] = [];
    let patience = PATIENCE * candidates;
    for (const proposal of propose(sloped, top, draws(seed, name, ...key, this.done))) {
      if (requests.every(({ suffix }) => suffix.survives(proposal))) tried.push(proposal);
      if (tried.length === candidates || --patience === 0) break;
    }
    const losses = await this.losses(tried);
    const best = losses.indexOf(Math.min(...losses));
    return best < 0 ? undefined : { tokens: tried[best] as readonly number[], loss: losses[best] as number };
  }

  /** Means over the requests, by place and token. [P·V] */
  private async slopes(tokens: readonly number[]): Promise<Float32Array> {
    const rows = this.rows([tokens]);
    let sum: Float32Array | undefined;
    for (let start = 0; start < rows.length; start += this.aim.batch) {
      const group = rows.slice(start, start + this.aim.batch);
      const slopes_BPV = await this.aim.model.tokenSlopes(packed(group));
      this.count(group, 1);
      const size = slopes_BPV.length / group.length;
      sum ??= new Float32Array(size);
      for (let at = 0; at < slopes_BPV.length; at++)
        sum[at % size] =
          (sum[at % size] as number) + (slopes_BPV[at] as number) * (group.length / rows.length);
    }
    return sum as Float32Array;
  }

  /** The losses of suffixes, in groups of rows of one size, so that few programs are compiled. */
  private async losses(suffixes: readonly (readonly number[])[]): Promise<number[]> {
    const { requests, batch, model } = this.aim;
    const size = Math.min(batch, this.strategy.candidates * requests.length);
    const rows = this.rows(suffixes);
    const sums = suffixes.map(() => 0);
    for (let start = 0; start < rows.length; start += size) {
      const group = rows.slice(start, start + size);
      const padded = Array.from({ length: size }, (_, at) => group[at] ?? (group[0] as Row));
      const found = await model.rowLosses(packed(padded));
      this.count(group, 0);
      group.forEach((_, at) => {
        const suffix = Math.floor((start + at) / requests.length);
        sums[suffix] = (sums[suffix] as number) + (found[at] as number);
      });
    }
    return sums.map((sum) => sum / requests.length);
  }

  /** One pass over these rows. */
  private count(rows: readonly Row[], backward: number): void {
    const tokens = rows.reduce((sum, { tokens: own, suffix: { before, after }, target }) => {
      return sum + before.length + own.length + after.length + target.length;
    }, 0);
    const pass = { forwardPasses: 1, backwardPasses: backward };
    this.spent = allPasses([
      this.spent,
      { ...pass, forwardTokens: tokens, backwardTokens: backward * tokens },
    ]);
  }

  /** Every suffix behind every request, suffix by suffix. */
  private rows(suffixes: readonly (readonly number[])[]): Row[] {
    return suffixes.flatMap((tokens) => this.aim.requests.map((request) => ({ ...request, tokens })));
  }
}

/** A request with a suffix behind it. */
interface Row extends Sought {
  readonly tokens: readonly number[];
}

/** Slots are at the tokens of suffixes. */
function packed(rows: readonly Row[]): PackedBatch {
  const examples = rows.map(({ suffix: { before, after }, tokens, target }) => ({
    prompt: [...before, ...tokens, ...after],
    desired: target,
  }));
  const batch = pack(examples, { attacked: 'none' });
  const slotCount = (rows[0] as Row).tokens.length;
  const slots = batch.slots.map((_, at) => {
    const { suffix } = rows[Math.min(Math.floor(at / batch.length), rows.length - 1)] as Row;
    const place = (at % batch.length) - suffix.before.length;
    return place >= 0 && place < slotCount ? place : -1;
  });
  return { ...batch, slots, slotCount };
}
