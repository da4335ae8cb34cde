/** @file Chat quality as a judge outside sees it: questions of one or more turns, answered in their order and scored. */
import {
  openSource,
  rowsFrom,
  selectColumns,
  sieve,
  textOf,
  type Message,
  type Tokenizer,
} from '../../../datasets/index.js';
import { complain, pooledBootstrap, type Interval } from '../../../foundation/index.js';
import type { QualityConfig } from '../config.js';
import { askOutside } from '../outside.js';

/** What a user says, turn by turn. */
export type ChatQuestion = readonly string[];

/** Scores of a model. */
export interface Quality {
  /** Questions. */
  readonly n: number;
  readonly scale: readonly [number, number];
  /** The mean over questions of the mean over their turns, with the 95 % interval of the bootstrap over questions. */
  readonly score: Interval;
  /** Question by question and turn by turn; fewer turns where a conversation outgrew the model's context. */
  readonly scores: readonly (readonly number[])[];
}

/** What is needed of a model, and what hears of its conversations. */
export interface Chatting {
  readonly tokenizer: Tokenizer;
  /** Greedy continuations. */
  readonly answer: (
    prompts: readonly (readonly number[])[],
    maxNewTokens: number,
  ) => Promise<readonly (readonly number[])[]>;
  readonly promptTokens: (messages: readonly Message[]) => readonly number[];
  /** Longest sequence, in tokens. */
  readonly context: number;
  /** Questions that are answered together. */
  readonly batch: number;
  /** Before each turn of a group. */
  readonly onTurn: () => Promise<void>;
  /** After all turns of a group were scored. */
  readonly onScored: (questions: number) => void;
}

const SCALE = [1, 10] as const;

/**
 * The table's questions: a list of `turns` as in MT-Bench, or one `prompt`.
 * @param limit most rows.
 * @throws as reading tables does; QUALITY_TURNS where a row has no turns.
 */
export async function readChatQuestions(config: QualityConfig, limit: number): Promise<ChatQuestion[]> {
  const { path, filter = [] } = config;
  const source = await openSource(path);
  try {
    const columns =
      config.columns ?? (source.columns.includes('turns') ? { turns: 'turns' } : { prompt: 'prompt' });
    const selection = selectColumns(source, columns);
    const wanted = sieve(source, filter);
    const questions: ChatQuestion[] = [];
    for await (const row of rowsFrom(source, [...new Set([...selection.columns, ...wanted.columns])])) {
      if (!wanted.keeps(row)) continue;
      if (questions.length >= limit) break;
      const owner = `evaluation table ${path}, row ${row.index}`;
      const { turns, prompt } = selection.pick(row) as {
        readonly turns?: unknown;
        readonly prompt?: unknown;
      };
      const said = Array.isArray(turns) ? turns : turns === undefined && prompt !== undefined ? [prompt] : [];
      if (said.length === 0) refuseTurns(owner, turns);
      questions.push(said.map((turn) => textOf(turn, owner)));
    }
    return questions;
  } finally {
    await source.close();
  }
}

/**
 * Answers and has them scored: the judge is given each conversation up to the answer that it scores.
 * @throws QUALITY_FAILED, QUALITY_ANSWER where the judge does not do its work.
 */
export async function chatQuality(
  chatting: Chatting,
  questions: readonly ChatQuestion[],
  config: QualityConfig & { readonly maxNewTokens: number },
): Promise<Quality | undefined> {
  const { by, scale = SCALE } = config;
  const scores: number[][] = [];
  for (let start = 0; start < questions.length; start += chatting.batch) {
    const group = questions.slice(start, start + chatting.batch);
    const answered = await conversations(chatting, group, config.maxNewTokens);
    const given = answered.length > 0 ? await judged(by, scale, answered) : [];
    group.forEach((_, at) => scores.push(given.filter((_score, index) => answered[index]?.question === at)));
    chatting.onScored(group.length);
  }
  const means = scores.flatMap((turns) =>
    turns.length > 0 ? [turns.reduce((sum, each) => sum + each, 0) / turns.length] : [],
  );
  if (means.length === 0) return undefined;
  return { n: means.length, scale, score: pooledBootstrap([means], { shared: false, seed: 0 }), scores };
}

function judged(
  by: QualityConfig['by'],
  scale: readonly [number, number],
  conversations: readonly { readonly messages: readonly Message[] }[],
): Promise<readonly number[]> {
  const [least, most] = scale;
  return askOutside(
    by,
    conversations.map(({ messages }) => ({ messages, scale })),
    {
      who: 'quality judge',
      setting: 'evaluate.quality.by',
      code: 'QUALITY',
      items: ['conversation', 'conversations'],
      replies: ['score', 'scores'],
      accepted: (score): score is number => typeof score === 'number' && score >= least && score <= most,
      expected: `each a number from ${least} to ${most}`,
    },
  );
}

/** Every conversation that ends with an answer: one for each turn that the context holds. */
async function conversations(
  { tokenizer, answer, promptTokens, context, onTurn }: Chatting,
  group: readonly ChatQuestion[],
  maxNewTokens: number,
): Promise<{ readonly question: number; readonly messages: readonly Message[] }[]> {
  const done: { readonly question: number; readonly messages: readonly Message[] }[] = [];
  let open = group.map((turns, question) => ({ question, turns, messages: [] as readonly Message[] }));
  for (let turn = 0; open.length > 0; turn++) {
    await onTurn();
    const asked = open.flatMap(({ question, turns, messages }) => {
      const said = turns[turn];
      if (said === undefined) return [];
      const after: readonly Message[] = [...messages, { role: 'user', content: said }];
      const prompt = promptTokens(after);
      return prompt.length + maxNewTokens > context ? [] : [{ question, turns, messages: after, prompt }];
    });
    if (asked.length === 0) break;
    const answers = await answer(
      asked.map(({ prompt }) => prompt),
      maxNewTokens,
    );
    open = asked.map(({ question, turns, messages }, at) => ({
      question,
      turns,
      messages: [...messages, { role: 'assistant', content: tokenizer.decode(answers[at] ?? []) }],
    }));
    done.push(...open.map(({ question, messages }) => ({ question, messages })));
  }
  return done;
}

function refuseTurns(owner: string, turns: unknown): never {
  return complain({
    code: 'QUALITY_TURNS',
    owner,
    expected: 'a list of what the user says in `turns`, or a text in `prompt`',
    got: JSON.stringify(turns ?? null).slice(0, 80),
    hint: 'map turns or prompt to a column that holds it',
  });
}
