/** @file Rows that are tokenized already, with what each position should predict instead. Knows nothing about losses. */
import { complain } from '../foundation/index.js';
import { describe, selectColumns } from './columns.js';
import { rowsFrom, type Source } from './sources/source.js';

/** Column paths of labelled rows. */
export interface LabelledColumns {
  readonly tokens: string;
  readonly labels: string;
}

/** One sequence: its token ids and, at each position, the id that is to be predicted there; -100 for none. */
export interface LabelledRow {
  readonly tokens: Int32Array;
  readonly labels: Int32Array;
}

/**
 * The labelled rows of a source, from row `from` on.
 * @param vocabulary ids are below it.
 * @throws DATASET_VALUE_TYPE where a row is no two lists of ids of one length.
 */
export async function* labelledRows(
  source: Source,
  columns: LabelledColumns,
  vocabulary: number,
  from = 0,
): AsyncGenerator<LabelledRow> {
  const selection = selectColumns(source, { ...columns });
  for await (const numbered of rowsFrom(source, selection.columns, from)) {
    const owner = `dataset ${source.path}, row ${numbered.index}`;
    const values = selection.pick(numbered);
    const tokens = idsOf(values.tokens, vocabulary, `${owner}, tokens`, 0);
    const labels = idsOf(values.labels, vocabulary, `${owner}, labels`, IGNORED);
    if (tokens.length !== labels.length)
      bad(owner, `as many labels as tokens, ${tokens.length}`, `${labels.length}`);
    yield { tokens, labels };
  }
}

/** What marks a position without a label, as in PyTorch. */
const IGNORED = -100;

function idsOf(value: unknown, vocabulary: number, owner: string, least: number): Int32Array {
  if (!Array.isArray(value)) return bad(owner, 'a list of token ids', describe(value));
  const wrong: unknown = value.find(
    (id) => !Number.isInteger(id) || id >= vocabulary || (id < 0 && (id !== least || least === 0)),
  );
  if (wrong !== undefined)
    return bad(owner, `token ids below ${vocabulary}${least < 0 ? `, or ${least}` : ''}`, describe(wrong));
  return Int32Array.from(value as number[]);
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
