/** @file The request that a prompt's tokens are, found by asking the template. No model. */
import type { Chat } from './suffix.js';

/** The text of the only request of a conversation; undefined where these tokens are those of no such conversation. */
export function requestIn(chat: Chat, prompt: readonly number[]): string | undefined {
  const { before, after } = aroundOf(chat);
  const text = chat.tokenizer.decode(prompt.slice(before, prompt.length - after));
  const again = chat.promptTokens([{ role: 'user', content: text }]);
  return again.length === prompt.length && again.every((token, at) => token === prompt[at])
    ? text
    : undefined;
}

/** How many tokens the template puts before and after a request: what two requests have in common. */
function aroundOf(chat: Chat): { readonly before: number; readonly after: number } {
  const [one, other] = ['x', 'y'].map((content) => chat.promptTokens([{ role: 'user', content }])) as [
    readonly number[],
    readonly number[],
  ];
  const most = Math.min(one.length, other.length);
  let before = 0;
  while (before < most && one[before] === other[before]) before++;
  let after = 0;
  while (after < most - before && one.at(-1 - after) === other.at(-1 - after)) after++;
  return { before, after };
}
