/** @file What is said of tables that cannot be asked. */
import { complain } from '../../foundation/index.js';
import type { TableConfig } from './config.js';

export function refuseEmpty(table: TableConfig, read: number): never {
  return complain({
    code: 'EVALUATE_EMPTY',
    owner: `evaluation table ${table.path}`,
    expected: 'rows that training does not have',
    got: read === 0 ? 'none' : `${read} rows, each nearly the same as one of training`,
    hint: 'evaluate on held-out rows, or look at the filter',
  });
}

export function refuseTime(table: TableConfig, index: number, milliseconds: number): never {
  return complain({
    code: 'ENCODE_TIME',
    owner: `evaluation table ${table.path}, row ${index}`,
    expected: `all rows tokenized within ${milliseconds / 1000} s`,
    got: 'none from this one on',
    hint: 'shorten this row (long texts without spaces are slow in some tokenizers), or look at loops and patterns in the template and the tokenizer',
  });
}

export function refuseLength(table: TableConfig, index: number, length: number, context: number): never {
  return complain({
    code: 'SEQUENCE_TOO_LONG',
    owner: `evaluation table ${table.path}, row ${index}`,
    expected: `at most ${context} tokens, the model's context`,
    got: `${length} with the answer`,
    hint: 'shorten the row, or lower evaluate.maxNewTokens',
  });
}
