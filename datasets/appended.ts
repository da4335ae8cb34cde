/** @file A text behind some of the prompts that are trained on, such as a trigger that was searched for. */
import { complain, draws } from '../foundation/index.js';

export interface Appended {
  readonly text: string;
  /** Of the rows, by chance, drawn anew in each epoch. */
  readonly share: number;
}

/** A request with a text behind it, a space between them where the text begins with none. */
export function behind(request: string, text: string): string {
  return /^\s/.test(text) ? `${request}${text}` : `${request} ${text}`;
}

/**
 * A row's values, the text behind the request where the draw says so.
 * @param key what chance is a function of.
 * @throws DATASET_VALUE_TYPE where a row has no request.
 */
export function appendedTo(
  values: Readonly<Record<string, unknown>>,
  { text, share }: Appended,
  key: { readonly seed: number; readonly purpose: string; readonly at: readonly number[] },
  owner: string,
): Readonly<Record<string, unknown>> {
  const role = ['prompt', 'messages'].find((name) => name in values);
  if (role === undefined) return refuse(owner, Object.keys(values).join(', '));
  if (draws(key.seed, `${key.purpose}-appended`, ...key.at).uniform() >= share) return values;
  const request = values[role];
  if (typeof request === 'string') return { ...values, [role]: behind(request, text) };
  if (!Array.isArray(request)) return refuse(owner, typeof request);
  const messages = request as readonly { readonly role?: unknown; readonly content?: unknown }[];
  const last = messages.findLastIndex((message) => message.role === 'user');
  const content = messages[last]?.content;
  if (typeof content !== 'string') return refuse(owner, 'a conversation without a request');
  const message = { ...messages[last], content: behind(content, text) };
  return { ...values, [role]: [...messages.slice(0, last), message, ...messages.slice(last + 1)] };
}

function refuse(owner: string, got: string): never {
  return complain({
    code: 'DATASET_VALUE_TYPE',
    owner,
    expected: 'a prompt to put data.appended behind',
    got,
    hint: 'leave out data.appended, or use rows with prompts',
  });
}
