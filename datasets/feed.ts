/** @file Tokenized examples of a dataset, or of a mixture of several: filtered, shuffled, resumable by a cursor. */
import { createHash } from 'node:crypto';
import { complain } from '../foundation/index.js';
import { requireAbsent } from './absent.js';
import { appendedTo, type Appended } from './appended.js';
import { selectColumns } from './columns.js';
import { encodedInChunks } from './encoded.js';
import type { EncoderRow } from './encode.js';
import type { Encoder } from './encoder.js';
import { sieve, type RowFilter } from './filter.js';
import { mixed, type MixturePart, type MixtureProgress, type PartProgress } from './mixture.js';
import type { Format, OpenSource, Place } from './sources/open.js';
import type { Example } from './example.js';
import { shaped, type Shape } from './shapes.js';
import { shuffledRows, type Progress } from './shuffle.js';
import { identityOf, type Source } from './sources/source.js';
import type { Tally } from './tally.js';

/** A dataset, its column mapping and which of its rows are wanted. */
export interface DatasetConfig<Columns> {
  readonly path: Place;
  readonly columns: Columns;
  readonly format?: Format;
  readonly shape?: Shape;
  /** All must hold; rows that are left out are counted. */
  readonly filter?: readonly RowFilter[];
  /** Share in a mixture, against those of the others: default 1. Rows dropped for their length count, too. */
  readonly weight?: number;
  /** False: it ends after its first epoch, and the others of its mixture go on. */
  readonly repeat?: boolean;
}

/** Rows left out for their length since the start of the run, and what the order of rows depends on. */
interface Counted {
  readonly dropped: number;
  /** Identifies files, filters, weights, shuffle and seed, so that a cursor is not continued on another order of rows. */
  readonly order: string;
}

/** Where a dataset is: rows given in this epoch, filtered and dropped so far. */
export interface DatasetCursor extends Progress, Counted {
  /** There where it has a filter. */
  readonly filtered?: number;
}

/** Where a mixture is. */
export interface MixtureCursor extends MixtureProgress, Counted {}

export type FeedCursor = DatasetCursor | MixtureCursor;

/** What feeds of a run share, and what tells their draws apart. */
export interface FeedOptions {
  readonly encoder: Encoder;
  readonly seed: number;
  readonly purpose: string;
  /** Rows held and mixed at a time, per dataset; 0 keeps the order of the file. */
  readonly window: number;
  /** Longest sequence, for messages. */
  readonly context: number;
  /** Texts that no row may hold. */
  readonly absent: readonly string[];
  readonly appended?: Appended;
  readonly tally: Tally;
}

type Columns = Readonly<Record<string, string>>;

/** Epochs' rows that are passed over before none is left to hope for: a row may be the first of one epoch, the last of the next. */
const MOST_PASSED_OVER = 2;

/** Examples of one role in a run. */
export class Feed {
  readonly isMixture: boolean;
  private readonly datasets: readonly DatasetConfig<unknown>[];
  private readonly sources: Source[] = [];
  private examples: AsyncGenerator<{ example: Example | undefined; next: MixtureProgress }> | undefined;
  private progress: MixtureProgress;
  private dropped: number;
  private order = '';

  constructor(
    config: DatasetConfig<unknown> | readonly DatasetConfig<unknown>[],
    private readonly options: FeedOptions,
    private readonly from: FeedCursor | undefined,
  ) {
    this.isMixture = Array.isArray(config);
    this.datasets = [config].flat<(typeof config)[]>();
    this.progress = progressOf(from, this.datasets.length);
    this.dropped = from?.dropped ?? 0;
  }

  async open(open: OpenSource): Promise<void> {
    for (const { path, format } of this.datasets) this.sources.push(await open(path, format));
    this.order = this.orderOf();
    if (this.from && (this.from.order !== this.order || 'parts' in this.from !== this.isMixture))
      mismatch(this.name);
    const parts = this.datasets.map((dataset, at) => this.part(dataset, this.sources[at] as Source, at));
    this.examples = this.read(parts);
  }

  cursor(): FeedCursor {
    const counted = { dropped: this.dropped, order: this.order };
    const [only] = this.progress.parts;
    if (this.isMixture || !only) return { ...this.progress, ...counted };
    const { epoch, position, filtered } = only;
    return { epoch, position, ...(this.datasets[0]?.filter && { filtered }), ...counted };
  }

  async take(count: number): Promise<Example[]> {
    const taken: Example[] = [];
    const most = MOST_PASSED_OVER * this.sources.reduce((sum, source) => sum + source.rows, 0);
    for (let droppedInARow = 0; taken.length < count;) {
      const next = await this.examples?.next();
      if (!next || next.done) return ended(this.name);
      this.progress = next.value.next;
      if (next.value.example) {
        taken.push(next.value.example);
        droppedInARow = 0;
      } else {
        this.dropped++;
        if (++droppedInARow >= most) allTooLong(this.name, this.options.context);
      }
    }
    return taken;
  }

  async close(): Promise<void> {
    await this.examples?.return(undefined);
    await Promise.all(this.sources.map((source) => source.close()));
  }

  private get name(): string {
    return this.sources.map(({ path }) => path).join(', ');
  }

  /** A single dataset without filter keeps the mark that it had before there were mixtures. */
  private orderOf(): string {
    const { window, seed, purpose, appended } = this.options;
    const wanted = this.datasets.map(({ filter, weight, repeat, shape }) => {
      return { filter, weight, repeat, shape };
    });
    const single =
      !this.isMixture && this.sources[0]
        ? [...identityOf(this.sources[0]), window, seed, purpose]
        : undefined;
    const plain = Object.values(wanted[0] ?? {}).every((value) => value === undefined);
    const order = single
      ? [...single, ...(plain ? [] : [wanted[0]])]
      : [this.sources.map(identityOf), wanted, window, seed, purpose];
    const mark = JSON.stringify(appended ? [...order, appended] : order);
    return createHash('sha256').update(mark).digest('hex').slice(0, 16);
  }

  private part(dataset: DatasetConfig<unknown>, source: Source, at: number): MixturePart<EncoderRow> {
    const selection = selectColumns(source, dataset.columns as Columns);
    const { columns, keeps } = sieve(source, dataset.filter ?? []);
    const { seed, window, absent, appended, tally } = this.options;
    const purpose = this.isMixture ? `${this.options.purpose}-${at}` : this.options.purpose;
    async function* rows(from: PartProgress): AsyncGenerator<{ item: EncoderRow; next: PartProgress }> {
      let [filtered, inARow] = [from.filtered, 0];
      const read = [...new Set([...selection.columns, ...columns])];
      const options = { seed, purpose, window, from, repeat: dataset.repeat ?? true };
      for await (const row of shuffledRows(source, read, options)) {
        tally.row(purpose);
        const owner = `dataset ${source.path}, row ${row.index}`;
        const values = keeps(row) ? shaped(selection.pick(row), dataset.shape, owner) : undefined;
        if (!values) {
          filtered++;
          if (++inARow >= MOST_PASSED_OVER * source.rows && options.repeat) allFiltered(source.path);
          continue;
        }
        inARow = 0;
        const at = [row.next.epoch, row.next.position];
        const asked = appended ? appendedTo(values, appended, { seed, purpose, at }, owner) : values;
        requireAbsent(asked, absent, owner);
        yield { item: { index: row.index, owner, values: asked }, next: { ...row.next, filtered } };
      }
    }
    return { weight: dataset.weight ?? 1, rows };
  }

  private async *read(
    parts: readonly MixturePart<EncoderRow>[],
  ): AsyncGenerator<{ example: Example | undefined; next: MixtureProgress }> {
    const { seed, purpose, encoder } = this.options;
    const { progress } = this;
    async function* rows(): AsyncGenerator<EncoderRow & { readonly next: MixtureProgress }> {
      for await (const { item, next } of mixed(parts, { seed, purpose, from: progress }))
        yield { ...item, next };
    }
    for await (const { item, result } of encodedInChunks(
      rows(),
      (chunk) => encoder.encode(chunk),
      encoder.width,
    )) {
      if ('error' in result) throw result.error;
      yield { example: result.example, next: item.next };
    }
  }
}

function progressOf(from: FeedCursor | undefined, count: number): MixtureProgress {
  if (from && 'parts' in from) return { draws: from.draws, parts: from.parts };
  const { epoch, position, filtered } = from ?? { epoch: 0, position: 0 };
  // How often a single dataset was drawn from is of no consequence.
  return {
    draws: 0,
    parts: Array.from({ length: count }, () => ({ epoch, position, filtered: filtered ?? 0 })),
  };
}

function mismatch(name: string): never {
  return complain({
    code: 'CURSOR_MISMATCH',
    owner: `dataset ${name}`,
    expected: 'the files, filters, weights, seed and shuffle that the run began with',
    got: 'others',
    hint: 'restore the files and the settings, or start a new run',
  });
}

function ended(name: string): never {
  return complain({
    code: 'DATASET_ENDED',
    owner: `dataset ${name}`,
    expected: 'rows for another batch',
    got: 'none: what is not repeated has ended',
    hint: 'repeat one of the datasets, or lower the number of steps',
  });
}

function allFiltered(path: string): never {
  return complain({
    code: 'DATASET_EMPTY',
    owner: `dataset ${path}`,
    expected: 'at least one row that passes its filter',
    got: 'none',
    hint: 'look at the values with latstream data inspect, and correct the filter',
  });
}

function allTooLong(name: string, context: number): never {
  return complain({
    code: 'SEQUENCE_TOO_LONG',
    owner: `dataset ${name}`,
    expected: `at least one row of at most ${context} tokens`,
    got: 'none',
    hint: 'use shorter rows or a model with a longer context',
  });
}
