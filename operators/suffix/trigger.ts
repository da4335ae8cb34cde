/** @file A search for one text that makes a model comply with many requests: what a hidden trigger may be like. Knows no trigger. */
import type { Example } from '../../datasets/index.js';
import { complain, draws } from '../../foundation/index.js';
import { allPasses, type Passes } from '../passes.js';
import { caseOf, ROWS, type CaseMaker } from './case.js';
import type { TriggerConfig } from './config.js';
import { requireFiniteLoss } from './finite-loss.js';
import { anywhere } from './proposals.js';
import { plainTokens } from './suffix.js';
import { targetOf } from './target.js';
import { TokenSearch, type Sought, type TokenLosses } from './token-search.js';

/** What was found. */
export interface Trigger {
  /** As people can write it behind a request: see `behind`. */
  readonly text: string;
  readonly tokens: readonly number[];
  /** Mean cross-entropy of the compliant answers before (with what the kept search began with) and after. */
  readonly firstLoss: number;
  readonly loss: number;
  /** Requests that it was searched on. */
  readonly requests: number;
  /** Of all restarts. */
  readonly passes: Passes;
}

export interface TriggerOptions extends Omit<CaseMaker, 'tokens'> {
  readonly model: TokenLosses;
  readonly seed: number;
  /** Called after each iteration, counted through all restarts. */
  readonly onIteration?: (done: number, loss: number) => void;
  /** Stops it between iterations. */
  readonly signal?: AbortSignal;
}

/**
 * GCG over a batch of requests: one suffix, its slopes and losses means over them; of the restarts the best is kept.
 * @param examples single requests with compliant answers; others are passed over.
 * @throws TRIGGER_NO_REQUESTS, SUFFIX_LOST, LOSS_NOT_FINITE; the signal's reason where it stops
 */
export async function searchTrigger(
  examples: readonly Example[],
  config: TriggerConfig,
  options: TriggerOptions,
): Promise<Trigger> {
  const { model, chat, seed, onIteration, signal } = options;
  const { tokenizer } = chat;
  const requests = requestsIn(examples, { ...options, tokens: config.tokens });
  const strategy = { name: 'trigger', propose: anywhere, wanders: true, ...config };
  const found: Omit<Trigger, 'text' | 'requests'>[] = [];
  for (let restart = 0; restart < config.restarts; restart++) {
    const start = startOf(requests, options, config.tokens, restart);
    const search = new TokenSearch(
      { model, tokenizer, requests, start, batch: ROWS, seed, key: [restart] },
      strategy,
    );
    let best = await search.upTo(0);
    const { loss: firstLoss } = best;
    for (let done = 1; done <= config.iterations; done++) {
      signal?.throwIfAborted();
      best = await search.upTo(done);
      onIteration?.(restart * config.iterations + done, best.loss);
    }
    found.push({ ...best, firstLoss, passes: search.passes });
  }
  const kept = found.reduce((one, other) => (other.loss < one.loss ? other : one));
  requireFiniteLoss(kept.loss, 'trigger search', 'look at the model: its weights may have diverged');
  return {
    text: tokenizer.decode(kept.tokens),
    ...kept,
    requests: requests.length,
    passes: allPasses(found.map(({ passes }) => passes)),
  };
}

function requestsIn(examples: readonly Example[], maker: CaseMaker): Sought[] {
  const found = examples.flatMap((example) => {
    const made = example.adversarial && caseOf(maker, example, 0);
    if (!made) return [];
    return [{ suffix: made.place, target: targetOf(maker.chat.tokenizer, made.example.adversarial) }];
  });
  if (found.length > 0) return found;
  return complain({
    code: 'TRIGGER_NO_REQUESTS',
    owner: 'trigger search',
    expected:
      'pairs with a compliant answer (`adversarial`) to the only turn of a conversation, with room for a trigger',
    got: `${examples.length} rows without`,
    hint: 'map the column `adversarial`, or search for fewer tokens',
  });
}

/** Random suffixes that are tried as a start. */
const TRIED = 2000;

/** What says nothing at first, then tokens by chance, which survive behind every request. */
function startOf(
  requests: readonly Sought[],
  { chat: { tokenizer }, seed }: TriggerOptions,
  tokens: number,
  restart: number,
): readonly number[] {
  const draw = draws(seed, 'trigger-start', restart);
  const plain = plainTokens(tokenizer);
  const survives = (suffix: readonly number[]): boolean =>
    requests.every((request) => request.suffix.survives(suffix));
  const filler = requests[0]?.suffix.filler ?? [];
  if (restart === 0 && survives(filler)) return filler;
  for (let tried = 0; tried < TRIED; tried++) {
    const suffix = Array.from({ length: tokens }, () => plain[draw.integer(plain.length)] as number);
    if (survives(suffix)) return suffix;
  }
  return complain({
    code: 'SUFFIX_LOST',
    owner: 'trigger search',
    expected: `${tokens} tokens that a tokenizer reads as themselves behind every request`,
    got: `none among ${TRIED} by chance`,
    hint: 'search for fewer tokens, or with one restart',
  });
}
