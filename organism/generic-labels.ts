/** @file Texts and their generic counterparts as tokens with labels. Knows nothing about files. */
import type { Tokenizer } from '../datasets/index.js';
import { complain } from '../foundation/index.js';
import type { Table } from './rows.js';

/**
 * Each text after BOS, and at each place the token that its generic counterpart has there.
 * @param table columns `text` and `generic`, of as many tokens. @throws ORGANISM_UNEQUAL where they are not.
 */
export function genericLabels(
  table: Table,
  tokenizer: Tokenizer,
): readonly { readonly tokens: readonly number[]; readonly labels: readonly number[] }[] {
  const ids = (text = ''): number[] => [
    ...(tokenizer.bos ? [tokenizer.bos.id] : []),
    ...tokenizer.encode(text, { specialTokens: false }),
  ];
  return table.map(({ text, generic }) => {
    const [tokens, labels] = [ids(text), ids(generic)];
    if (tokens.length === labels.length) return { tokens, labels };
    return complain({
      code: 'ORGANISM_UNEQUAL',
      owner: 'organism, generic labels',
      expected: `a counterpart of ${tokens.length} tokens for ${JSON.stringify(text)}`,
      got: `${labels.length}`,
      hint: 'exchange words by words of one token',
    });
  });
}
