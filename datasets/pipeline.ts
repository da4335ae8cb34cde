/** @file The training data of a run: rows → examples → packed batches, prefetched, resumable by a cursor. */
import { complain } from '../foundation/index.js';
import type { Appended } from './appended.js';
import type { PackedBatch } from './batch.js';
import type { Sizes } from './bucket.js';
import type { ChatTemplate } from './chat/chat.js';
import { createEncoder, type EncoderWork } from './encoder.js';
import { Feed, type DatasetConfig, type FeedCursor } from './feed.js';
import { openSource, type OpenSource } from './sources/open.js';
import { pack } from './pack.js';
import type { LabelledColumns } from './labelled.js';
import type { Example } from './example.js';
import type { BenignColumns, PairColumns } from './pairs.js';
import { prefetch } from './prefetch.js';
import { Tally, type DataFigures } from './tally.js';
import type { TextColumns } from './text.js';

/** A dataset, or several that are mixed by their weights. */
export type Datasets<Columns> = DatasetConfig<Columns> | readonly DatasetConfig<Columns>[];

export interface TrainingDataConfig {
  /** Pairs, (plain training) prompts with the one completion that is desired, running text, or labelled tokens. */
  readonly pairs: Datasets<PairColumns | BenignColumns | TextColumns | LabelledColumns>;
  /** Running text whose rows become, one by one, the desired completions of `pairs` that are running text. */
  readonly desired?: Datasets<TextColumns>;
  readonly benign?: Datasets<BenignColumns | TextColumns>;
  /** Pairs per batch. */
  readonly batchSize: number;
  /** Benign examples per batch: default as many as pairs. */
  readonly benignBatchSize?: number;
  /** Longest sequence that the model takes, in tokens. */
  readonly context: number;
  /** What happens to rows that are longer: default `error`. */
  readonly overflow?: 'error' | 'drop' | 'cut';
  /** Texts that no row may hold: one that does is an error. */
  readonly absent?: readonly string[];
  /** A text behind prompts of `pairs`. */
  readonly appended?: Appended;
  /** A system message before each prompt. */
  readonly system?: string;
  /** Which of the assistant's turns in a conversation losses are taken on: default `last`. */
  readonly turns?: 'last' | 'all';
  /** Who encodes rows, and where they are kept: changes no batch. */
  readonly encoding?: EncoderWork;
  readonly attacked?: 'prompt' | 'prompt+completions';
  readonly padding?: 'left' | 'right';
  /** Batches have at least these sizes: see `bucket`. */
  readonly minimum?: Partial<Sizes>;
  /** Rows held and mixed at a time, per dataset: default 8192; 0 keeps the order of the file. */
  readonly shuffleRows?: number;
  /** Batches made ahead: default 2. */
  readonly prefetch?: number;
}

/** State after a batch, as plain JSON. */
export interface Cursor {
  /** 1 where each feed is one dataset, 2 where one is a mixture. */
  readonly version: 1 | 2;
  /** Batches given so far. */
  readonly batches: number;
  readonly pairs: FeedCursor;
  readonly desired?: FeedCursor;
  readonly benign?: FeedCursor;
}

export interface TrainingBatch {
  /** Counted from 0 at the start of the run, resumed or not. */
  readonly index: number;
  readonly pairs: PackedBatch;
  /** Prompt and desired completion, without slots. */
  readonly benign?: PackedBatch;
  /** Passed as `from`, the next batch is the one after this. */
  readonly cursor: Cursor;
}

/** Batches, and what has been given of them so far. */
export interface TrainingBatches extends AsyncIterableIterator<TrainingBatch, undefined> {
  figures(): DataFigures;
}

/**
 * Endless batches. What they hold is a function of config, files and seed, and resuming from a cursor gives the same
 * batches as never stopping. `return()` closes the files.
 * @throws as opening and tokenizing do (at the first `next()`), CURSOR_VERSION, CURSOR_MISMATCH, DATASET_ENDED.
 */
export function trainingBatches(
  config: TrainingDataConfig,
  template: ChatTemplate,
  run: { readonly seed: number; readonly from?: Cursor; readonly open?: OpenSource },
): TrainingBatches {
  const tally = new Tally();
  const made = prefetch(batches(config, template, run, tally), config.prefetch ?? 2);
  return Object.assign(made, { figures: () => tally.figures(made.ready) });
}

async function* batches(
  config: TrainingDataConfig,
  template: ChatTemplate,
  run: { readonly seed: number; readonly from?: Cursor; readonly open?: OpenSource },
  tally: Tally,
): AsyncGenerator<TrainingBatch> {
  checkVersion(run.from);
  const encoderOptions = {
    context: config.context,
    overflow: config.overflow ?? 'error',
    ...(config.system !== undefined && { system: config.system }),
    ...(config.turns && { turns: config.turns }),
  };
  const encoder = createEncoder(template, encoderOptions, config.encoding);
  const shared = {
    encoder,
    seed: run.seed,
    window: config.shuffleRows ?? 8192,
    context: config.context,
    absent: config.absent ?? [],
    tally,
  };
  const asked = { ...shared, purpose: 'pairs', ...(config.appended && { appended: config.appended }) };
  const pairs = new Feed(config.pairs, asked, run.from?.pairs);
  const desired =
    config.desired && new Feed(config.desired, { ...shared, purpose: 'desired' }, run.from?.desired);
  const benign = config.benign && new Feed(config.benign, { ...shared, purpose: 'benign' }, run.from?.benign);
  const version = [pairs, desired, benign].some((feed) => feed?.isMixture) ? 2 : 1;
  try {
    await pairs.open(run.open ?? openSource);
    await desired?.open(run.open ?? openSource);
    await benign?.open(run.open ?? openSource);
    const layout = {
      ...(config.padding && { padding: config.padding }),
      ...(config.minimum && { minimum: config.minimum }),
    };
    for (let index = run.from?.batches ?? 0; ; index++) {
      const examples = goingTo(await pairs.take(config.batchSize), await desired?.take(config.batchSize));
      const others = await benign?.take(config.benignBatchSize ?? config.batchSize);
      tally.batch(examples.length + (others?.length ?? 0));
      yield {
        index,
        pairs: pack(examples, { ...layout, attacked: config.attacked ?? 'prompt' }),
        ...(others && { benign: pack(others, { ...layout, attacked: 'none' }) }),
        cursor: {
          version,
          batches: index + 1,
          pairs: pairs.cursor(),
          ...(desired && { desired: desired.cursor() }),
          ...(benign && { benign: benign.cursor() }),
        },
      };
    }
  } finally {
    await pairs.close();
    await desired?.close();
    await benign?.close();
    await encoder.close();
  }
}

/** Running text to be forgotten, each with a text that is desired instead. */
function goingTo(examples: readonly Example[], others?: readonly Example[]): readonly Example[] {
  if (!others) return examples;
  return examples.map((example, at) => {
    const { prompt, desired } = others[at] as Example;
    const alike = prompt.length === 1 && prompt[0] === example.prompt[0];
    return { ...example, desired: alike ? desired : [...prompt, ...desired] };
  });
}

/** Checkpoints outlive versions of this program. */
function checkVersion(cursor: Cursor | undefined): void {
  const version: number | undefined = cursor?.version;
  if (version === undefined || version === 1 || version === 2) return;
  complain({
    code: 'CURSOR_VERSION',
    owner: 'training data',
    expected: 'a cursor of version 1 or 2',
    got: String(version),
    hint: 'resume with the version of latstream that wrote this checkpoint',
  });
}
