/** @file Texts that continue prompts, in batches. Knows nothing about the command line. */
import { TextStream, withinTime, type Message, type Tokenizer } from '../datasets/index.js';
import { checkPrompts, generate, type Generated, type Sampling } from '../engine/models/index.js';
import type { Asked } from './asked.js';

/** For the tokens of a prompt, which usually take a thousandth of a second. */
const MILLISECONDS = 5000;

/** How prompts are continued. */
export interface ContinuationOptions {
  /** Prompts are what a user says. */
  readonly chat?: boolean;
  /** What they are told before it. */
  readonly system?: string;
  readonly maxNewTokens: number;
  /** Greedy if not given. */
  readonly sampling?: Sampling;
  readonly samples: number;
  readonly batchSize: number;
  /** Texts that end a continuation; it is cut before them. Those that are special tokens end it, too. */
  readonly stop: readonly string[];
}

/** One continuation of a prompt. */
export interface Continuation extends Generated {
  readonly prompt: string;
  readonly text: string;
}

/** Told after every token. @param certain text of the newest row that will stay, whatever follows. */
export type Watch = (progress: {
  readonly rows: number;
  readonly tokens: number;
  readonly certain: string;
}) => void;

/**
 * Continues every prompt `samples` times, those of one prompt together. What a row draws depends on the seed, its prompt
 * and its number among the samples of this prompt: not on the other rows or the size of batches.
 * @throws GENERATE_… as {@link generate} does, for all prompts before the first is continued.
 */
export async function continuations(
  { stage, model, weights }: Asked,
  prompts: readonly string[],
  options: ContinuationOptions,
  watch: Watch = () => undefined,
): Promise<Continuation[]> {
  const { tokenizer, template, config, engine } = stage;
  const rows = rowsOf(prompts, options.samples).map((row) => ({
    ...row,
    tokens: withinTime(MILLISECONDS, () =>
      options.chat
        ? template.promptTokens(messagesOf(row.prompt, options.system))
        : tokenizer.encode(row.prompt),
    ),
  }));
  checkPrompts(
    config,
    rows.map(({ tokens }) => tokens),
  );
  const { maxNewTokens, sampling, batchSize, stop } = options;
  const stopTokens = [...config.eosTokens, ...specialTokens(tokenizer, stop)];
  const done: Continuation[] = [];
  let tokens = 0;
  while (done.length < rows.length) {
    const batch = rows.slice(done.length, done.length + batchSize);
    const streams = batch.map(() => new TextStream(tokenizer, stop));
    const generated = await generate(
      engine,
      { ...model, ...weights },
      {
        prompts: batch.map((row) => row.tokens),
        rowKeys: batch.map(({ key }) => key),
        maxNewTokens,
        stopTokens,
        stop: (row, index) => {
          const stream = streams[index] as TextStream;
          const ends = stream.push(row.at(-1) as number);
          watch({ rows: done.length, tokens: ++tokens, certain: stream.certain });
          return ends;
        },
        ...(sampling && { sampling }),
      },
    );
    generated.forEach((row, index) =>
      done.push({ prompt: (batch[index] as Row).prompt, text: (streams[index] as TextStream).text, ...row }),
    );
  }
  return done;
}

interface Row {
  readonly prompt: string;
  /** What it draws by. */
  readonly key: string;
}

/** A prompt that comes again goes on counting its samples. */
function rowsOf(prompts: readonly string[], samples: number): Row[] {
  const counts = new Map<string, number>();
  return prompts.flatMap((prompt) =>
    Array.from({ length: samples }, () => {
      const count = counts.get(prompt) ?? 0;
      counts.set(prompt, count + 1);
      return { prompt, key: `${count} ${prompt}` };
    }),
  );
}

/** Ids of those texts that are special tokens, which decoded text does not show. */
function specialTokens(tokenizer: Tokenizer, texts: readonly string[]): number[] {
  return texts.flatMap((text) => {
    const ids = tokenizer.encode(text, { specialTokens: false });
    return ids.length === 1 && tokenizer.decode(ids) === '' ? ids : [];
  });
}

function messagesOf(prompt: string, system: string | undefined): Message[] {
  const asked = { role: 'user', content: prompt };
  return system === undefined ? [asked] : [{ role: 'system', content: system }, asked];
}
