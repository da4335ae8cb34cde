/** @file Running text as examples: no prompt but the beginning of text. Knows nothing about batches. */
import { complain } from '../foundation/index.js';
import { textOf } from './columns.js';
import type { Tokenizer } from './chat/tokenizer.js';
import type { Example, TokenizeOptions } from './example.js';

/** Column paths of running text: to be forgotten (`adversarial`), to be kept (`desired`), or both side by side. */
export type TextColumns =
  | { readonly adversarial: string }
  | { readonly desired: string }
  | { readonly adversarial: string; readonly desired: string };

/** Whether a row's values are running text. */
export function isText(values: Readonly<Record<string, unknown>>): boolean {
  return !('prompt' in values || 'messages' in values) && ('adversarial' in values || 'desired' in values);
}

/**
 * Texts that begin where a model's input begins: the prompt is BOS, or, without one, the first text's first token. A part
 * that a row does not have is empty.
 * @returns undefined where it is too long and `overflow` is `drop`.
 * @throws SEQUENCE_TOO_LONG, EXAMPLE_EMPTY, DATASET_VALUE_TYPE
 */
export function textExample(
  values: Readonly<Record<string, unknown>>,
  tokenizer: Tokenizer,
  options: TokenizeOptions,
): Example | undefined {
  const { owner, context, overflow } = options;
  const longest = context * tokenizer.longestToken;
  const texts: Partial<Record<'adversarial' | 'desired', number[]>> = {};
  for (const part of ['adversarial', 'desired'] as const) {
    if (!(part in values)) continue;
    const text = textOf(values[part], `${owner}, ${part}`);
    if (text.length > longest && overflow !== 'cut') {
      tooLong(options, `a text of ${text.length} characters`);
      return undefined;
    }
    texts[part] = tokenizer.encode(text.slice(0, longest), { specialTokens: false });
  }
  const bos = tokenizer.bos?.id;
  const [first] = texts.adversarial ?? texts.desired ?? [];
  const start = bos ?? first;
  // A text may bring its BOS.
  const parts = Object.entries(texts).map(
    ([part, tokens]) => [part, tokens[0] === start ? tokens.slice(1) : tokens] as const,
  );
  if (start === undefined || parts.some(([, tokens]) => tokens.length === 0))
    return complain({
      code: 'EXAMPLE_EMPTY',
      owner,
      expected: 'a text of at least one token beside the first',
      got: 'none',
      hint: 'leave such rows out by a filter, such as minLength',
    });
  const length = 1 + Math.max(...parts.map(([, tokens]) => tokens.length));
  if (length > context && overflow !== 'cut') {
    tooLong(options, `${length}`);
    return undefined;
  }
  const cut = parts.map(([part, tokens]) => [part, tokens.slice(0, context - 1)] as const);
  return { prompt: [start], desired: [], ...(Object.fromEntries(cut) as Partial<Example>) };
}

function tooLong({ owner, context, overflow }: TokenizeOptions, got: string): void {
  if (overflow === 'drop') return;
  complain({
    code: 'SEQUENCE_TOO_LONG',
    owner,
    expected: `at most ${context} tokens`,
    got,
    hint: "set overflow to 'cut' to keep the beginnings of texts, or to 'drop' to leave such rows out",
  });
}
