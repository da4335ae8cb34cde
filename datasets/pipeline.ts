/** @file The training data of a run: rows → examples → packed batches, prefetched, resumable by a cursor. */
import { createHash } from 'node:crypto';
import { complain } from '../foundation/index.js';
import type { PackedBatch } from './batch.js';
import type { Sizes } from './bucket.js';
import type { ChatTemplate } from './chat.js';
import { selectColumns } from './columns.js';
import { encodedInChunks } from './encoded.js';
import type { EncoderRow } from './encode.js';
import { createEncoder, type Encoder } from './encoder.js';
import { openSource, type OpenSource } from './open.js';
import { pack } from './pack.js';
import type { BenignColumns, Example, PairColumns } from './pairs.js';
import { prefetch } from './prefetch.js';
import { shuffledRows, type Progress } from './shuffle.js';
import { identityOf, type Source } from './source.js';

/** A dataset file and its column mapping. */
export interface DatasetConfig<Columns> {
  readonly path: string;
  readonly columns: Columns;
}

export interface TrainingDataConfig {
  /** Pairs, or (plain training) prompts with the one completion that is desired. */
  readonly pairs: DatasetConfig<PairColumns | BenignColumns>;
  readonly benign?: DatasetConfig<BenignColumns>;
  /** Pairs per batch. */
  readonly batchSize: number;
  /** Benign examples per batch: default as many as pairs. */
  readonly benignBatchSize?: number;
  /** Longest sequence that the model takes, in tokens. */
  readonly context: number;
  /** What happens to rows that are longer: default `error`. */
  readonly overflow?: 'error' | 'drop';
  /** A system message before each prompt. */
  readonly system?: string;
  readonly attacked?: 'prompt' | 'prompt+completions';
  readonly padding?: 'left' | 'right';
  /** Batches have at least these sizes: see `bucket`. */
  readonly minimum?: Partial<Sizes>;
  /** Rows held and mixed at a time, per dataset: default 8192; 0 keeps the order of the file. */
  readonly shuffleRows?: number;
  /** Batches made ahead: default 2. */
  readonly prefetch?: number;
}

/** Where one dataset is: rows given and dropped so far, and which file it was. */
export interface FeedCursor extends Progress {
  /** Rows left out for their length since the start of the run. */
  readonly dropped: number;
  /** Identifies file, shuffle and seed, so that a cursor is not continued on another order of rows. */
  readonly order: string;
}

/** State after a batch, as plain JSON. */
export interface Cursor {
  readonly version: 1;
  /** Batches given so far. */
  readonly batches: number;
  readonly pairs: FeedCursor;
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

/**
 * Endless batches. What they hold is a function of config, files and seed, and resuming from a cursor gives the same
 * batches as never stopping. `return()` closes the files.
 * @throws as opening and tokenizing do (at the first `next()`), CURSOR_MISMATCH.
 */
export function trainingBatches(
  config: TrainingDataConfig,
  template: ChatTemplate,
  run: { readonly seed: number; readonly from?: Cursor; readonly open?: OpenSource },
): AsyncIterableIterator<TrainingBatch, undefined> {
  return prefetch(batches(config, template, run), config.prefetch ?? 2);
}

async function* batches(
  config: TrainingDataConfig,
  template: ChatTemplate,
  run: { readonly seed: number; readonly from?: Cursor; readonly open?: OpenSource },
): AsyncGenerator<TrainingBatch> {
  const encoder = createEncoder(template, {
    context: config.context,
    overflow: config.overflow ?? 'error',
    ...(config.system !== undefined && { system: config.system }),
  });
  const pairs = new Feed(config, config.pairs, 'pairs', encoder, run.seed, run.from?.pairs);
  const benign =
    config.benign && new Feed(config, config.benign, 'benign', encoder, run.seed, run.from?.benign);
  try {
    await pairs.open(run.open ?? openSource);
    await benign?.open(run.open ?? openSource);
    const layout = {
      ...(config.padding && { padding: config.padding }),
      ...(config.minimum && { minimum: config.minimum }),
    };
    for (let index = run.from?.batches ?? 0; ; index++) {
      const examples = await pairs.take(config.batchSize);
      const others = await benign?.take(config.benignBatchSize ?? config.batchSize);
      yield {
        index,
        pairs: pack(examples, { ...layout, attacked: config.attacked ?? 'prompt' }),
        ...(others && { benign: pack(others, { ...layout, attacked: 'none' }) }),
        cursor: {
          version: 1,
          batches: index + 1,
          pairs: pairs.cursor(),
          ...(benign && { benign: benign.cursor() }),
        },
      };
    }
  } finally {
    await pairs.close();
    await benign?.close();
    await encoder.close();
  }
}

/** Tokenized examples of one dataset, in shuffled order. */
class Feed {
  private source: Source | undefined;
  private examples: AsyncGenerator<{ example: Example | undefined; next: Progress }> | undefined;
  private progress: Progress;
  private dropped: number;
  private order = '';

  constructor(
    private readonly config: TrainingDataConfig,
    private readonly dataset: DatasetConfig<PairColumns | BenignColumns>,
    private readonly purpose: string,
    private readonly encoder: Encoder,
    private readonly seed: number,
    private readonly from: FeedCursor | undefined,
  ) {
    this.progress = from ?? { epoch: 0, position: 0 };
    this.dropped = from?.dropped ?? 0;
  }

  async open(open: OpenSource): Promise<void> {
    const source = await open(this.dataset.path);
    this.source = source;
    const window = this.config.shuffleRows ?? 8192;
    this.order = createHash('sha256')
      .update(JSON.stringify([identityOf(source), window, this.seed, this.purpose]))
      .digest('hex')
      .slice(0, 16);
    if (this.from && this.from.order !== this.order) mismatch(this.dataset.path);
    this.examples = this.read(source, window);
  }

  cursor(): FeedCursor {
    return { ...this.progress, dropped: this.dropped, order: this.order };
  }

  async take(count: number): Promise<Example[]> {
    const taken: Example[] = [];
    let droppedInARow = 0;
    while (taken.length < count) {
      const next = await this.examples?.next();
      if (!next || next.done) break;
      this.progress = next.value.next;
      if (next.value.example) {
        taken.push(next.value.example);
        droppedInARow = 0;
      } else {
        this.dropped++;
        if (++droppedInARow >= (this.source?.rows ?? 0)) allTooLong(this.dataset.path, this.config.context);
      }
    }
    return taken;
  }

  async close(): Promise<void> {
    await this.examples?.return(undefined);
    await this.source?.close();
  }

  private async *read(
    source: Source,
    window: number,
  ): AsyncGenerator<{ example: Example | undefined; next: Progress }> {
    const { seed, purpose, progress } = this;
    const selection = selectColumns(source, this.dataset.columns as Readonly<Record<string, string>>);
    async function* mapped(): AsyncGenerator<EncoderRow & { readonly next: Progress }> {
      const options = { seed, purpose, window, from: progress };
      for await (const row of shuffledRows(source, selection.columns, options))
        yield {
          index: row.index,
          owner: `dataset ${source.path}, row ${row.index}`,
          values: selection.pick(row),
          next: row.next,
        };
    }
    const encoded = encodedInChunks(mapped(), (rows) => this.encoder.encode(rows), this.encoder.width);
    for await (const { item, result } of encoded) {
      if ('error' in result) throw result.error;
      yield { example: result.example, next: item.next };
    }
  }
}

function mismatch(path: string): never {
  return complain({
    code: 'CURSOR_MISMATCH',
    owner: `dataset ${path}`,
    expected: 'the file, seed and shuffle that the run began with',
    got: 'others',
    hint: 'restore the file and the settings, or start a new run',
  });
}

function allTooLong(path: string, context: number): never {
  return complain({
    code: 'SEQUENCE_TOO_LONG',
    owner: `dataset ${path}`,
    expected: `at least one row of at most ${context} tokens`,
    got: 'none',
    hint: 'use shorter rows or a model with a longer context',
  });
}
