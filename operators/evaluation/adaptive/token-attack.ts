/** @file Attacks by suffixes of tokens: GCG and AutoPrompt, each against this model and request by request. */
import type { AutoPromptConfig, GcgConfig } from '../config.js';
import type { Asking, Inside, Method } from '../method.js';
import type { Question } from '../questions.js';
import { answered } from '../worded-methods.js';
import { suffixFor } from './suffix-for.js';
import { anywhere, atOnePlace } from '../../suffix/proposals.js';
import type { Suffix } from '../../suffix/suffix.js';
import { targetOf } from '../../suffix/target.js';
import { TokenSearch, type Strategy } from '../../suffix/token-search.js';

/** One attack for each number of iterations. */
export function gcg({ tokens, iterations, candidates, top }: GcgConfig): Method[] {
  return suffixAttacks(tokens, iterations, {
    name: 'gcg',
    propose: anywhere,
    candidates,
    top,
    wanders: true,
  });
}

/** One attack for each number of iterations. */
export function autoprompt({ tokens, iterations, top }: AutoPromptConfig): Method[] {
  return suffixAttacks(tokens, iterations, {
    name: 'autoprompt',
    propose: atOnePlace,
    candidates: top,
    top,
    wanders: false,
  });
}

/** What is known of a request's suffix: nothing is searched where the context has no room for one. */
interface Search {
  readonly suffix: Suffix;
  readonly search: TokenSearch;
}

function suffixAttacks(tokens: number, iterations: readonly number[], strategy: Strategy): Method[] {
  const searches = new Map<Question, Search | null>();
  return [...new Set(iterations)]
    .sort((a, b) => a - b)
    .map((count) => ({
      name: `${strategy.name}${count}`,
      attempt: async (asking, group, first) => {
        const prompts: (readonly number[])[] = [];
        for (const [at, question] of group.entries()) {
          if (!searches.has(question))
            searches.set(question, begun(asking, question, first + at, tokens, strategy));
          prompts.push(await promptAfter(searches.get(question), question, count));
        }
        return answered(
          asking,
          prompts.map((prompt) => ({ prompt, given: 0 })),
        );
      },
    }));
}

function begun(
  asking: Asking,
  question: Question,
  index: number,
  tokens: number,
  strategy: Strategy,
): Search | null {
  const { subject, config } = asking;
  const { tokenizer } = subject;
  const suffix = suffixFor(asking, question, tokens);
  if (!suffix) return null;
  const target = targetOf(tokenizer, question.answerTokens);
  const model = subject.inside as Inside;
  const requests = [{ suffix, target }];
  const aim = { model, tokenizer, requests, start: suffix.filler, batch: config.batch };
  return { suffix, search: new TokenSearch({ ...aim, seed: 0, key: [index] }, strategy) };
}

async function promptAfter(
  known: Search | null | undefined,
  { promptTokens }: Question,
  iterations: number,
): Promise<readonly number[]> {
  if (!known) return promptTokens;
  const { before, after } = known.suffix;
  return [...before, ...(await known.search.upTo(iterations)).tokens, ...after];
}
