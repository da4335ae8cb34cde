/** @file A search for a suffix under which a model complies with one request, by gradients and by trying. Resumable. */
import { pack, type PackedBatch } from '../../../datasets/index.js';
import { draws } from '../../../foundation/index.js';
import type { Inside } from '../method.js';
import type { Propose } from './proposals.js';
import { plainTokens, type Suffix } from './suffix.js';
import type { Tokenizer } from '../../../datasets/index.js';

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
  readonly inside: Inside;
  readonly tokenizer: Tokenizer;
  readonly suffix: Suffix;
  /** What the model shall say. */
  readonly target: readonly number[];
  /** Rows that are run together. */
  readonly batch: number;
  /** What chance is a function of, beside the iteration. */
  readonly key: number;
}

interface Tried {
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

  constructor(
    private readonly aim: Aim,
    private readonly strategy: Strategy,
  ) {}

  /** The best suffix after so many iterations in all. What was done is not done again. */
  async upTo(iterations: number): Promise<Tried> {
    const { filler } = this.aim.suffix;
    this.current ??= { tokens: filler, loss: (await this.losses([filler]))[0] as number };
    this.found ??= this.current;
    for (; this.done < iterations; this.done++) {
      const best = await this.bestFrom(this.current);
      if (best && (this.strategy.wanders || best.loss < this.current.loss)) this.current = best;
      if (this.current.loss < this.found.loss) this.found = this.current;
    }
    return this.found;
  }

  private async bestFrom({ tokens }: Tried): Promise<Tried | undefined> {
    const { inside, tokenizer, suffix, key } = this.aim;
    const { propose, top, candidates, name } = this.strategy;
    const slopes = (await inside.tokenSlopes(this.packed([tokens]))).slice(0);
    const sloped = { tokens, slopes, allowed: plainTokens(tokenizer) };
    const tried: (readonly number[])[] = [];
    let patience = PATIENCE * candidates;
    for (const proposal of propose(sloped, top, draws(0, name, key, this.done))) {
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
      const found = await this.aim.inside.rowLosses(this.packed(padded));
      losses.push(...found.subarray(0, group.length));
    }
    return losses;
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
