/** @file A pool of requests with suffixes that are searched all through a training. Knows nothing about weights or losses. */
import { pack, unpack, type Example, type PackedBatch, type PackOptions } from '../../datasets/index.js';
import { complain, permutation } from '../../foundation/index.js';
import { requireLabels } from '../objectives/pair-losses.js';
import { allPasses, type Passes } from '../passes.js';
import {
  caseOf,
  readCase,
  searched,
  writtenCase,
  type Case,
  type CaseMaker,
  type SavedCase,
} from './case.js';
import type { PoolConfig } from './config.js';
import type { Chat } from './suffix.js';
import type { TokenLosses } from './token-search.js';

/** All that a pool remembers between steps, as JSON. */
export type PoolState = readonly SavedCase[];

/** What chance is a function of. */
export interface PoolKey {
  readonly step: number;
  readonly seed: number;
}

/** What a pool gives in place of a batch's pairs. */
export interface Pooled {
  readonly pairs: PackedBatch;
  /** Mean losses of the compliant answers, before and after the search; what became of the pool. */
  readonly values: Readonly<Record<'firstLoss' | 'loss' | 'cases' | 'resets' | 'meanAge', number>>;
  readonly passes: Passes;
}

/** Cases that outlive batches. */
export interface Pool {
  /**
   * As many cases as the batch has rows, searched further against the model as it is.
   * @throws LABELS_MISSING; POOL_EMPTY, SUFFIX_LOST, LOSS_NOT_FINITE
   */
  searched(pairs: PackedBatch, key: PoolKey): Promise<Pooled>;
  save(): PoolState;
  /** Goes on from a saved state as if it had never stopped. */
  restore(state: PoolState): void;
}

export interface PoolOptions {
  /** The model in training. */
  readonly model: TokenLosses;
  readonly chat: Chat;
  /** Longest sequence of the model, in tokens. */
  readonly context: number;
  /** How batches are packed. */
  readonly layout: PackOptions;
  readonly warn: (text: string) => void;
}

/** An empty pool. */
export function createPool(config: PoolConfig, options: PoolOptions): Pool {
  return new SuffixPool(config, options);
}

class SuffixPool implements Pool {
  private cases: Case[] = [];
  private readonly maker: CaseMaker;

  constructor(
    private readonly config: PoolConfig,
    private readonly options: PoolOptions,
  ) {
    this.maker = { chat: options.chat, context: options.context, tokens: config.tokens };
  }

  async searched(pairs: PackedBatch, key: PoolKey): Promise<Pooled> {
    requireLabels('pool', pairs, ['adversarial', 'desired']);
    const requests = unpack(pairs);
    const before = this.cases.length;
    this.fill(requests, key.step);
    const chosen = this.drawn(before, pairs.rows, key);
    const { firstLoss, loss, passes } = await this.search(chosen, key);
    const batch = pack(
      chosen.map((at) => rowOf(this.at(at))),
      this.options.layout,
    );
    const age = mean(this.cases.map(({ since }) => key.step - since));
    const resets = key.step % this.config.resetEvery === 0 ? this.reset(requests, key) : 0;
    return {
      pairs: batch,
      values: { firstLoss, loss, cases: this.cases.length, resets, meanAge: age },
      passes,
    };
  }

  save(): PoolState {
    return this.cases.map(writtenCase);
  }

  restore(state: PoolState): void {
    this.cases = state.map((saved) => readCase(this.maker, saved));
  }

  /** Takes requests out of the list while there is room. */
  private fill(requests: Example[], step: number): void {
    while (this.cases.length < this.config.size) {
      const entering = this.fresh(requests, step);
      if (!entering) break;
      this.cases.push(entering);
    }
    if (this.cases.length === 0) refuseEmpty();
  }

  /** The next request that can have a suffix, out of the list; undefined where there is none left. */
  private fresh(requests: Example[], step: number): Case | undefined {
    for (let next = requests.shift(); next; next = requests.shift()) {
      const made = caseOf(this.maker, next, step);
      if (made) return made;
      this.options.warn(
        'a request stays out of the pool: it is not the only turn of its conversation, or the context has no room for its suffix',
      );
    }
    return undefined;
  }

  /** Places of a step's cases: those that have just entered, then others by chance. */
  private drawn(before: number, count: number, { seed, step }: PoolKey): number[] {
    const entered = [...this.cases.keys()].slice(before);
    return [...entered, ...permutation(before, seed, 'pool', step)].slice(0, count);
  }

  private async search(
    chosen: readonly number[],
    { seed, step }: PoolKey,
  ): Promise<{ readonly firstLoss: number; readonly loss: number; readonly passes: Passes }> {
    const found: Awaited<ReturnType<typeof searched>>[] = [];
    for (const at of chosen) {
      const result = await searched(this.at(at), this.config, this.options, { seed, key: [step, at] });
      this.cases[at] = { ...this.at(at), suffix: result.suffix };
      found.push(result);
    }
    return {
      firstLoss: mean(found.map(({ firstLoss }) => firstLoss)),
      loss: mean(found.map(({ loss }) => loss)),
      passes: allPasses(found.map(({ passes }) => passes)),
    };
  }

  /** @param requests that have not entered. @returns how many cases begin anew. */
  private reset(requests: Example[], { seed, step }: PoolKey): number {
    const count = Math.round(this.config.resetShare * this.cases.length);
    for (const at of permutation(this.cases.length, seed, 'pool-reset', step).subarray(0, count)) {
      const old = this.at(at);
      this.cases[at] = this.fresh(requests, step) ?? { ...old, suffix: old.place.filler, since: step };
    }
    return count;
  }

  private at(place: number): Case {
    return this.cases[place] as Case;
  }
}

/** The example as the defender sees it. */
function rowOf({ example, place, suffix }: Case): Example {
  return { ...example, prompt: [...place.before, ...suffix, ...place.after] };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function refuseEmpty(): never {
  return complain({
    code: 'POOL_EMPTY',
    owner: 'pool',
    expected: 'requests that are the only turn of their conversation, with room for a suffix',
    got: 'a batch without any',
    hint: 'use data with single requests, a shorter suffix (pool.tokens) or a model with a longer context',
  });
}
