/** @file Rows that are tokenized already, with what should stand at each place instead. Knows nothing about losses. */
import { complain } from '../foundation/index.js';
import { describe } from './columns.js';
import type { Example, TokenizeOptions } from './example.js';

/** Column paths of labelled rows. */
export interface LabelledColumns {
  readonly tokens: string;
  readonly labels: string;
}

/** What marks a place without a label, as in PyTorch. */
export const UNLABELLED = -100;

/**
 * One sequence of token ids, and at each place the id that should stand there instead; −100 for none. As in the published
 * code of "Who's Harry Potter" and in Hugging Face's models, a label is for the token at its own place, so the state before
 * it predicts it, and the first label is never used.
 * @param vocabulary ids are below it.
 * @returns undefined where it is too long and `overflow` is `drop`.
 * @throws DATASET_VALUE_TYPE where the values are no two lists of ids of one length, SEQUENCE_TOO_LONG, EXAMPLE_EMPTY
 */
export function labelledExample(
  values: Readonly<Record<string, unknown>>,
  vocabulary: number,
  { owner, context, overflow }: TokenizeOptions,
): Example | undefined {
  const tokens = idsOf(values['tokens'], vocabulary, `${owner}, tokens`, 0);
  const labels = idsOf(values['labels'], vocabulary, `${owner}, labels`, UNLABELLED);
  if (tokens.length !== labels.length)
    return bad(owner, `as many labels as tokens, ${tokens.length}`, `${labels.length}`);
  if (tokens.length < 2)
    return complain({
      code: 'EXAMPLE_EMPTY',
      owner,
      expected: 'at least two tokens: the first predicts the second',
      got: `${tokens.length}`,
      hint: 'remove this row',
    });
  if (tokens.length <= context) return { prompt: tokens, desired: [], labels };
  if (overflow === 'cut')
    return { prompt: tokens.slice(0, context), desired: [], labels: labels.slice(0, context) };
  if (overflow === 'drop') return undefined;
  return complain({
    code: 'SEQUENCE_TOO_LONG',
    owner,
    expected: `at most ${context} tokens`,
    got: `${tokens.length}`,
    hint: "set overflow to 'cut' to keep their beginnings, or to 'drop' to leave such rows out",
  });
}

function idsOf(value: unknown, vocabulary: number, owner: string, least: number): number[] {
  const list = ArrayBuffer.isView(value) ? [...(value as unknown as Iterable<unknown>)] : value;
  if (!Array.isArray(list)) return bad(owner, 'a list of token ids', describe(value));
  const ids = list.map((id: unknown) => (typeof id === 'bigint' ? Number(id) : id));
  const wrong = ids.find(
    (id) =>
      !Number.isInteger(id) ||
      (id as number) >= vocabulary ||
      ((id as number) < 0 && (id !== least || least === 0)),
  );
  if (wrong !== undefined)
    return bad(owner, `token ids below ${vocabulary}${least < 0 ? `, or ${least}` : ''}`, describe(wrong));
  return ids as number[];
}

function bad(owner: string, expected: string, got: string): never {
  return complain({
    code: 'DATASET_VALUE_TYPE',
    owner,
    expected,
    got,
    hint: 'map tokens and labels to lists of one length, made with the tokenizer of this model',
  });
}
