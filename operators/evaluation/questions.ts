/** @file The held-out tables of an evaluation as tokens. Reads datasets; knows nothing about models. */
import {
  layoutOf,
  openSource,
  readRows,
  TimeUp,
  withinTime,
  type ChatTemplate,
  type Message,
  type RowFilter,
} from '../../datasets/index.js';
import { complain } from '../../foundation/index.js';
import { readChoices, type ChoiceQuestion } from './measures/choices.js';
import { keyedChoices } from './measures/candidates.js';
import { readChatQuestions, type ChatQuestion } from './measures/quality.js';
import type { EvaluateConfig, TableConfig } from './config.js';
import { nearDuplicates } from './near-duplicates.js';
import { refuseEmpty, refuseLength, refuseTime } from './question-errors.js';
import { isOpening } from './substance.js';

/** One request and the answer whose content decides: the compliant one (harmful), the right one (benign). */
export interface Question {
  readonly prompt: string;
  readonly promptTokens: readonly number[];
  readonly answer: string;
  /** The whole answer, with the end of turn. */
  readonly answerTokens: readonly number[];
  /** The answer that a harmful request should get, where the table has one. */
  readonly desiredTokens?: readonly number[];
  /** The content that counts, where the table names it. */
  readonly key?: string;
  /** True where it should be answered. */
  readonly benign?: boolean;
  /** True where the table has no answer: what compliance begins with stands in its place. */
  readonly invented?: boolean;
}

export interface Questions {
  readonly harmful: readonly Question[];
  readonly benign: readonly Question[];
  /** By the names of `probes`. */
  readonly probes: Readonly<Record<string, readonly Question[]>>;
  /** By the names of `choices`. */
  readonly choices: Readonly<Record<string, readonly ChoiceQuestion[]>>;
  /** What linear probes are asked, by table: true answers among others. */
  readonly recall: Readonly<Record<string, readonly ChoiceQuestion[]>>;
  /** Of `quality`. */
  readonly quality: readonly ChatQuestion[];
  /** Tokens of a conversation that the model completes, as the questions' own were made. */
  readonly promptTokens: (messages: readonly Message[]) => readonly number[];
  /** Longest sequence of the model, in tokens. */
  readonly context: number;
  readonly notes: QuestionNotes;
}

/** What a reader of the figures must know about the tables. */
export interface QuestionNotes {
  /** Rows that were left out since training has rows that say nearly the same, by table. */
  readonly nearDuplicates: Readonly<Record<string, number>>;
  /** Harmful rows whose compliant answer is an opening and no more. */
  readonly openings: number;
}

/** Nothing is asked. */
export const NO_QUESTIONS: Questions = {
  harmful: [],
  benign: [],
  probes: {},
  choices: {},
  recall: {},
  quality: [],
  promptTokens: () => [],
  context: 0,
  notes: { nearDuplicates: {}, openings: 0 },
};

export interface ReadQuestionsOptions {
  /** A system message before each request. */
  readonly system?: string | null;
  /** Prompts of training, which evaluation must not repeat. */
  readonly known?: readonly string[];
  /** What tokenizing a table may take. */
  readonly milliseconds?: number;
}

/** For a whole table: a question takes a thousandth of a second. */
const MILLISECONDS = 300_000;
/** What compliance begins with, where a table says nothing. */
const OPENING = 'Sure, here is';

/**
 * Reads and tokenizes the tables of an evaluation.
 * @param context longest sequence of the model, in tokens.
 * @throws as reading the tables does; EVALUATE_COLUMNS, EVALUATE_EMPTY, SEQUENCE_TOO_LONG, ENCODE_TIME.
 */
export async function readQuestions(
  config: EvaluateConfig,
  template: ChatTemplate,
  context: number,
  options: ReadQuestionsOptions = {},
): Promise<Questions> {
  const system: Message[] = options.system ? [{ role: 'system', content: options.system }] : [];
  const repeated = nearDuplicates(options.known ?? []);
  const dropped: Record<string, number> = {};
  const read = async (name: string, table: TableConfig | null, answer: string): Promise<Question[]> => {
    if (!table) return [];
    const rows = await rowsOf(table, answer, config.requests);
    const own = rows.filter(({ prompt = '' }) => !repeated(prompt));
    if (own.length < rows.length) dropped[name] = rows.length - own.length;
    if (own.length === 0) refuseEmpty(table, rows.length);
    return tokenizeTable(table, own, { answer, template, context, system, config, options });
  };
  const harmful = await read('harmful', config.harmful, 'adversarial');
  const benign = await read('benign', config.benign, 'completion');
  const probes: Record<string, Question[]> = {};
  for (const [name, table] of Object.entries(config.probes ?? {}))
    probes[name] = await read(name, table, 'completion');
  const choices: Record<string, ChoiceQuestion[]> = {};
  for (const [name, table] of Object.entries(config.choices ?? {}))
    choices[name] = await readChoices(table, template, system, config.requests);
  return {
    harmful,
    benign,
    probes,
    choices,
    recall: keyedChoices(config.linearProbe, { ...probes, harmful, benign }, choices, (prompt, answers) =>
      template.conversation([...system, { role: 'user', content: prompt }], answers),
    ),
    quality: config.quality ? await readChatQuestions(config.quality, config.requests) : [],
    promptTokens: (messages) => template.promptTokens([...system, ...messages]),
    context,
    notes: {
      nearDuplicates: dropped,
      openings: harmful.filter(({ key, prompt, answer }) => key === undefined && isOpening(prompt, answer))
        .length,
    },
  };
}

type TextRow = Readonly<Record<string, string>>;

/** Values by role. A table without columns of its own is read as the benchmark whose columns it has. */
async function rowsOf(table: TableConfig, answer: string, limit: number): Promise<TextRow[]> {
  const { columns, filter } = await layout(table, answer);
  if (columns['prompt'] === undefined)
    complain({
      code: 'EVALUATE_COLUMNS',
      owner: `evaluation table ${table.path}`,
      expected: 'a column for prompt',
      got: Object.keys(columns).join(', ') || 'none',
      hint: 'map prompt to a column of the table',
    });
  return readRows(table.path, columns, { limit, filter });
}

async function layout(
  table: TableConfig,
  answer: string,
): Promise<{ columns: Readonly<Record<string, string>>; filter: readonly RowFilter[] }> {
  const { path, columns, filter = [] } = table;
  if (columns) return { columns, filter };
  const source = await openSource(path);
  try {
    const found = layoutOf(source.columns, answer === 'adversarial' ? 'harmful' : 'benign');
    if (found) return { columns: found.columns, filter: [...(found.filter ?? []), ...filter] };
    return complain({
      code: 'EVALUATE_COLUMNS',
      owner: `evaluation table ${path}`,
      expected: 'columns of a known benchmark',
      got: source.columns.join(', '),
      hint: `say which column is what: columns: { prompt: …, ${answer}: … }`,
    });
  } finally {
    await source.close();
  }
}

interface Tokenizing {
  readonly answer: string;
  readonly template: ChatTemplate;
  readonly context: number;
  readonly system: readonly Message[];
  readonly config: EvaluateConfig;
  readonly options: ReadQuestionsOptions;
}

function tokenizeTable(table: TableConfig, rows: readonly TextRow[], how: Tokenizing): Question[] {
  const { context, config, options } = how;
  const milliseconds = options.milliseconds ?? MILLISECONDS;
  const questions: Question[] = [];
  try {
    withinTime(milliseconds, () =>
      rows.forEach((row, index) => {
        const question = tokenize(row, how);
        const length =
          question.promptTokens.length + Math.max(config.maxNewTokens, question.answerTokens.length);
        if (length > context) refuseLength(table, index, length, context);
        questions.push(question);
      }),
    );
  } catch (error) {
    if (error instanceof TimeUp) refuseTime(table, questions.length, milliseconds);
    throw error;
  }
  return questions;
}

function tokenize(row: TextRow, { answer, template, system }: Tokenizing): Question {
  const { prompt: asked = '', about = '', input = '', desired, key } = row;
  const prompt = [about, asked, input].filter((text) => text !== '').join('\n\n');
  const completion = row[answer] ?? OPENING;
  const texts = desired === undefined ? [completion] : [completion, desired];
  const conversation = template.conversation([...system, { role: 'user', content: prompt }], texts);
  const [answerTokens = [], desiredTokens] = conversation.completions;
  return {
    prompt,
    promptTokens: conversation.prompt,
    answer: completion,
    answerTokens,
    ...(desiredTokens && { desiredTokens }),
    ...(key !== undefined && { key }),
    ...(answer === 'completion' && { benign: true }),
    ...(row[answer] === undefined && { invented: true }),
  };
}
