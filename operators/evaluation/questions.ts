/** @file The held-out tables of an evaluation as tokens. Reads datasets; knows nothing about models. */
import { readRows, TimeUp, withinTime, type ChatTemplate } from '../../datasets/index.js';
import { complain } from '../../foundation/index.js';
import type { EvaluateConfig, TableConfig } from './config.js';

/** One request and the answer whose content decides: the compliant one (harmful), the right one (benign). */
export interface Question {
  readonly prompt: string;
  readonly promptTokens: readonly number[];
  /** The whole answer, with the end of turn. */
  readonly answerTokens: readonly number[];
  /** The answer that a harmful request should get, where the table has one. */
  readonly desiredTokens?: readonly number[];
  /** The content that counts, where the table names it. */
  readonly key?: string;
}

export interface Questions {
  readonly harmful: readonly Question[];
  readonly benign: readonly Question[];
}

/** For a whole table: a question takes a thousandth of a second. */
const MILLISECONDS = 300_000;

/**
 * Reads and tokenizes the tables of an evaluation.
 * @param context longest sequence of the model, in tokens.
 * @param milliseconds that tokenizing a table may take.
 * @throws as reading the tables does; EVALUATE_COLUMNS, SEQUENCE_TOO_LONG, ENCODE_TIME.
 */
export async function readQuestions(
  config: EvaluateConfig,
  template: ChatTemplate,
  context: number,
  milliseconds = MILLISECONDS,
): Promise<Questions> {
  const read = async (table: TableConfig | null, answer: string): Promise<Question[]> => {
    if (!table) return [];
    const rows = await readRows(table.path, columnsOf(table, answer), { limit: config.requests });
    const questions: Question[] = [];
    const tokenizeAll = (): void =>
      rows.forEach((row, index) => {
        const question = tokenize(row, answer, template);
        const length =
          question.promptTokens.length + Math.max(config.maxNewTokens, question.answerTokens.length);
        if (length > context) refuseLength(table, index, length, context);
        questions.push(question);
      });
    try {
      withinTime(milliseconds, tokenizeAll);
    } catch (error) {
      if (error instanceof TimeUp) refuseTime(table, questions.length, milliseconds);
      throw error;
    }
    return questions;
  };
  return {
    harmful: await read(config.harmful, 'adversarial'),
    benign: await read(config.benign, 'completion'),
  };
}

function columnsOf(table: TableConfig, answer: string): Readonly<Record<string, string>> {
  for (const name of ['prompt', answer])
    if (table.columns[name] === undefined)
      complain({
        code: 'EVALUATE_COLUMNS',
        owner: `evaluation table ${table.path}`,
        expected: `a column for ${name}`,
        got: Object.keys(table.columns).join(', ') || 'none',
        hint: `map ${name} to a column of the table`,
      });
  return table.columns;
}

function tokenize(row: Readonly<Record<string, string>>, answer: string, template: ChatTemplate): Question {
  const { [answer]: completion = '', prompt = '', desired, key } = row;
  const texts = desired === undefined ? [completion] : [completion, desired];
  const conversation = template.conversation([{ role: 'user', content: prompt }], texts);
  const [answerTokens = [], desiredTokens] = conversation.completions;
  return {
    prompt,
    promptTokens: conversation.prompt,
    answerTokens,
    ...(desiredTokens && { desiredTokens }),
    ...(key !== undefined && { key }),
  };
}

function refuseTime(table: TableConfig, index: number, milliseconds: number): never {
  return complain({
    code: 'ENCODE_TIME',
    owner: `evaluation table ${table.path}, row ${index}`,
    expected: `all rows tokenized within ${milliseconds / 1000} s`,
    got: 'none from this one on',
    hint: 'shorten this row (long texts without spaces are slow in some tokenizers), or look at loops and patterns in the template and the tokenizer',
  });
}

function refuseLength(table: TableConfig, index: number, length: number, context: number): never {
  return complain({
    code: 'SEQUENCE_TOO_LONG',
    owner: `evaluation table ${table.path}, row ${index}`,
    expected: `at most ${context} tokens, the model's context`,
    got: `${length} with the answer`,
    hint: 'shorten the row, or lower evaluate.maxNewTokens',
  });
}
