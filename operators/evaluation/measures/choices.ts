/** @file Multiple choice: questions with lettered options, answered by the letter that the model finds likeliest. */
import {
  openSource,
  pack,
  rowsFrom,
  selectColumns,
  sieve,
  textOf,
  type ChatTemplate,
  type Message,
  type PackedBatch,
} from '../../../datasets/index.js';
import { complain } from '../../../foundation/index.js';
import { benignOutcome, type BenignOutcome } from '../answered.js';
import type { TableConfig } from '../config.js';

/** One question, and the tokens of each letter as its answer. */
export interface ChoiceQuestion {
  readonly promptTokens: readonly number[];
  readonly letters: readonly (readonly number[])[];
  /** Index of the right one. */
  readonly right: number;
}

/** Columns of MMLU and WMDP, where a table says nothing else: `answer` is an index or a letter. */
const COLUMNS = { question: 'question', choices: 'choices', answer: 'answer' };
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * Reads a table of questions. Each is asked as lm-evaluation-harness asks MMLU, without examples: the question, the lettered
 * options, `Answer:`.
 * @param limit most rows.
 * @throws as reading tables does; EVALUATE_CHOICES where options or the answer are none.
 */
export async function readChoices(
  { path, columns = COLUMNS, filter = [] }: TableConfig,
  template: ChatTemplate,
  system: readonly Message[],
  limit: number,
): Promise<ChoiceQuestion[]> {
  const source = await openSource(path);
  try {
    const selection = selectColumns(source, { ...COLUMNS, ...columns });
    const wanted = sieve(source, filter);
    const questions: ChoiceQuestion[] = [];
    for await (const row of rowsFrom(source, [...new Set([...selection.columns, ...wanted.columns])])) {
      if (!wanted.keeps(row)) continue;
      if (questions.length >= limit) break;
      const owner = `evaluation table ${path}, row ${row.index}`;
      const { question, choices, answer } = selection.pick(row);
      const options = Array.isArray(choices) ? choices.map((choice) => textOf(choice, owner)) : [];
      const right = indexOf(answer, options.length);
      if (options.length < 2 || options.length > LETTERS.length || right === undefined)
        refuse(owner, options.length, answer);
      const text = [
        textOf(question, owner),
        ...options.map((option, at) => `${LETTERS[at] ?? ''}. ${option}`),
        'Answer:',
      ].join('\n');
      const letters = options.map((_, at) => LETTERS[at] ?? '');
      const asked = template.conversation([...system, { role: 'user', content: text }], letters);
      // Answers share what follows them, such as an end of turn: it tells nothing.
      questions.push({ promptTokens: asked.prompt, letters: distinct(asked.completions), right });
    }
    return questions;
  } finally {
    await source.close();
  }
}

/**
 * Which questions are answered right, with the letters of each in one batch.
 * @param rowLosses mean cross-entropy of each row's completion, [B].
 */
export async function askChoices(
  rowLosses: (batch: PackedBatch) => Promise<Float32Array>,
  questions: readonly ChoiceQuestion[],
  onQuestion: () => Promise<void>,
): Promise<BenignOutcome> {
  const right: boolean[] = [];
  for (const { promptTokens, letters, right: wanted } of questions) {
    await onQuestion();
    const batch = pack(
      letters.map((desired) => ({ prompt: promptTokens, desired })),
      { attacked: 'none' },
    );
    const losses = await rowLosses(batch);
    right.push(losses.indexOf(Math.min(...losses)) === wanted);
  }
  return benignOutcome(right.map((correct) => (correct ? 'comply' : 'incoherent')));
}

function indexOf(answer: unknown, count: number): number | undefined {
  const text = typeof answer === 'string' ? answer.trim().toUpperCase() : '';
  const index = /^[A-Z]$/.test(text) ? LETTERS.indexOf(text) : Number(answer);
  return Number.isInteger(index) && index >= 0 && index < count ? index : undefined;
}

/** The completions without the tokens that all of them end with. */
export function distinct(completions: readonly (readonly number[])[]): (readonly number[])[] {
  let same = 0;
  const shortest = Math.min(...completions.map(({ length }) => length));
  const fromEnd = (tokens: readonly number[], at: number): number | undefined => tokens.at(-1 - at);
  while (
    same < shortest - 1 &&
    completions.every(
      (tokens) => fromEnd(tokens, same) === fromEnd(completions[0] as readonly number[], same),
    )
  )
    same++;
  return completions.map((tokens) => tokens.slice(0, tokens.length - same));
}

function refuse(owner: string, options: number, answer: unknown): never {
  return complain({
    code: 'EVALUATE_CHOICES',
    owner,
    expected: 'a list of 2 to 26 options, and the index (from 0) or the letter of the right one',
    got: `${options} options, ${JSON.stringify(answer)} as the answer`,
    hint: 'map question, choices and answer to columns that hold them',
  });
}
