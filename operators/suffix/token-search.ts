/** @file A search for a suffix under which a model complies with one request, by gradients and by trying. Resumable. */
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

/** What is searched for. */
export interface Aim {
  readonly model: TokenLosses;
  readonly tokenizer: Tokenizer;
  readonly suffix: Suffix;
  /** The suffix that the search begins with. */
  readonly start: readonly number[];
  /** What the model shall say. */
  readonly target: readonly number[];
  /** Rows that are run together. */
  readonly batch: number;
  /** What chance is a function of, beside the iteration. */
  readonly seed: number;
  readonly key: readonly number[];
}

/** A suffix, and what it does. */
export interface Tried {
  readonly tokens: readonly number[];
  /** Mean cross-entropy of the target. */
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
    const { model, tokenizer, suffix, seed, key } = this.aim;
    const { propose, top, candidates, name } = this.strategy;
    const slopes = (await model.tokenSlopes(this.packed([tokens]))).slice(0);
    this.count(1, 1);
    const sloped = { tokens, slopes, allowed: plainTokens(tokenizer) };
    const tried: (readonly number[])[] = [];
    let patience = PATIENCE * candidates;
    for (const proposal of propose(sloped, top, draws(seed, name, ...key, this.done))) {
      if (suffix.survives(proposal)) tried.push(proposal);
      if (tried.length === candidates || --patience === 0) break;
    }
    const losses = await this.losses(tried);
    const best = losses.indexOf(Math.min(...losses));
    return best < 0 ? undefined : { tokens: tried[best] as readonly number[], loss: losses[best] as number };
  }

  /** The losses of suffixes, in groups of one size, so that few programs are compiled. */
  private async losses(suffixes: readonly (readonly number[])[]): Promise<number[]> {
    const size = Math.min(this.aim.batch, this.strategy.candidates);
    const losses: number[] = [];
    for (let start = 0; start < suffixes.length; start += size) {
      const group = suffixes.slice(start, start + size);
      const padded = Array.from({ length: size }, (_, at) => group[at] ?? (group[0] as readonly number[]));
      const found = await this.aim.model.rowLosses(this.packed(padded));
      this.count(group.length, 0);
      losses.push(...found.subarray(0, group.length));
    }
    return losses;
  }

  /** One pass over so many rows. */
  private count(rows: number, backward: number): void {
    const { suffix, start, target } = this.aim;
    const tokens = rows * (suffix.before.length + start.length + suffix.after.length + target.length);
    const pass = { forwardPasses: 1, backwardPasses: backward };
    this.spent = allPasses([
      this.spent,
      { ...pass, forwardTokens: tokens, backwardTokens: backward * tokens },
    ]);
  }

  /** Rows with a suffix each; slots at its tokens. */
  private packed(suffixes: readonly (readonly number[])[]): PackedBatch {
    const { suffix, target } = this.aim;
    const { before, after, filler } = suffix;
    const rows = suffixes.map((tokens) => ({ prompt: [...before, ...tokens, ...after], desired: target }));
    const batch = pack(rows, { attacked: 'none' });
    const slots = batch.slots.map((_, at) => {
      const place = (at % batch.length) - before.length;
      return place >= 0 && place < filler.length ? place : -1;
    });
    return { ...batch, slots, slotCount: filler.length };
  }
}
