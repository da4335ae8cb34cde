/** @file One case of a pool: a request, its answers, and the suffix that has been found for it so far. */
import type { Example } from '../../datasets/index.js';
import { complain } from '../../foundation/index.js';
import type { Passes } from '../passes.js';
import type { PoolConfig } from './config.js';
import { requireFiniteLoss } from './finite-loss.js';
import { anywhere } from './proposals.js';
import { requestIn } from './request.js';
import { suffixOf, type Chat, type Suffix } from './suffix.js';
import { targetOf } from './target.js';
import { TokenSearch, type TokenLosses } from './token-search.js';

export interface Case {
  /** As the data have it, without a suffix. */
  readonly example: Required<Pick<Example, 'prompt' | 'adversarial' | 'desired'>>;
  readonly place: Suffix;
  readonly suffix: readonly number[];
  /** The step in which it began. */
  readonly since: number;
}

/** A case as JSON: token ids, one after the other with spaces between them. */
export type SavedCase = Readonly<Record<'prompt' | 'adversarial' | 'desired' | 'suffix', string>> & {
  readonly since: number;
};

/** What cases are made with. */
export interface CaseMaker {
  readonly chat: Chat;
  /** Longest sequence of the model, in tokens. */
  readonly context: number;
  /** Length of a suffix. */
  readonly tokens: number;
}

/**
 * A case that begins, with a suffix that says nothing.
 * @returns undefined where the prompt is no single request, or the context has no room for a suffix.
 * @throws SUFFIX_LOST
 */
export function caseOf(
  { chat, context, tokens }: CaseMaker,
  { prompt, adversarial = [], desired }: Example,
  since: number,
): Case | undefined {
  const longest = Math.max(adversarial.length, desired.length);
  if (prompt.length + tokens + longest > context) return undefined;
  const request = requestIn(chat, prompt);
  if (request === undefined) return undefined;
  const place = suffixOf(chat, request, tokens);
  return { example: { prompt, adversarial, desired }, place, suffix: place.filler, since };
}

export function writtenCase({ example, suffix, since }: Case): SavedCase {
  const { prompt, adversarial, desired } = example;
  const written = (tokens: readonly number[]): string => tokens.join(' ');
  return {
    prompt: written(prompt),
    adversarial: written(adversarial),
    desired: written(desired),
    suffix: written(suffix),
    since,
  };
}

/** @throws STATE_MISMATCH where no case of this pool was written so. */
export function readCase(maker: CaseMaker, { since, ...saved }: SavedCase): Case {
  const read = (name: keyof typeof saved): number[] => saved[name].split(' ').map(Number);
  const example = { prompt: read('prompt'), adversarial: read('adversarial'), desired: read('desired') };
  const begun = caseOf(maker, example, since);
  const suffix = read('suffix');
  if (begun?.suffix.length === suffix.length) return { ...begun, suffix };
  return complain({
    code: 'STATE_MISMATCH',
    owner: 'pool of a checkpoint',
    expected: `requests with suffixes of ${maker.tokens} tokens, as this model's template writes them`,
    got: `${suffix.length} tokens behind ${begun ? 'a request' : 'what is no request'}`,
    hint: 'resume with the recipe and the model that the run began with',
  });
}

/** Rows that are run together: few enough for memory, enough to keep a processor busy. */
export const ROWS = 64;

/**
 * Searches on from a case's suffix; what is found is never worse, for the model as it is now.
 * @throws LOSS_NOT_FINITE
 */
export async function searched(
  { example, place, suffix }: Case,
  { iterations, candidates, top }: PoolConfig,
  { model, chat: { tokenizer } }: { readonly model: TokenLosses; readonly chat: Chat },
  chance: { readonly seed: number; readonly key: readonly number[] },
): Promise<{
  readonly suffix: readonly number[];
  readonly firstLoss: number;
  readonly loss: number;
  readonly passes: Passes;
}> {
  const target = targetOf(tokenizer, example.adversarial);
  const requests = [{ suffix: place, target }];
  const aim = { model, tokenizer, requests, start: suffix, batch: ROWS, ...chance };
  const search = new TokenSearch(aim, { name: 'pool', propose: anywhere, candidates, top, wanders: true });
  const { loss: firstLoss } = await search.upTo(0);
  const { tokens, loss } = await search.upTo(iterations);
  requireFiniteLoss(
    loss,
    'pool',
    'lower the learning rate, or go back to a checkpoint from before the weights diverged',
  );
  return { suffix: tokens, firstLoss, loss, passes: search.passes };
}
