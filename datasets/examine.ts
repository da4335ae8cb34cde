/** @file What would become of a dataset's rows: examples of which length, or why none. Knows nothing about batches. */
import { Counter, LatstreamError, type Histogram } from '../foundation/index.js';
import { selectColumns } from './columns.js';
import type { Encoder } from './encoder.js';
import type { EncoderRow } from './encode.js';
import type { DatasetConfig } from './feed.js';
import { sieve, type Sieve } from './filter.js';
import type { Example } from './example.js';
import { shaped } from './shapes.js';
import type { NumberedRow, Source } from './sources/source.js';
import type { Tokenizer } from './chat/tokenizer.js';

/** Why a row makes no example: `filtered`, `too long`, or the code of what is wrong with it. */
export interface Dropped {
  readonly reason: string;
  readonly count: number;
  /** What was said about the first such row; empty for a filter. */
  readonly first: string;
}

/** A part of a sample as the model sees it. */
export interface Segment {
  readonly part: string;
  readonly text: string;
  /** Whether losses are taken on it. */
  readonly learned: boolean;
}

export interface Examined {
  /** Rows that make an example. */
  readonly kept: number;
  readonly dropped: readonly Dropped[];
  /** In tokens, by part; only with a model. */
  readonly lengths: Readonly<Record<string, Histogram>>;
  /** The first example; its values where there is no model. */
  readonly sample: readonly Segment[];
}

/** Rows that are encoded together. */
const CHUNK = 64;

/** Takes rows of a source and keeps count of what becomes of them. */
export class Examiner {
  readonly columns: readonly string[];
  private readonly selection: ReturnType<typeof selectColumns>;
  private readonly filter: Sieve;
  private readonly dropped = new Map<string, { count: number; first: string }>();
  private readonly lengths: Record<string, Counter> = {};
  private waiting: EncoderRow[] = [];
  private kept = 0;
  private sample: readonly Segment[] = [];

  /** @param model what rows are encoded with; without one, lengths are not known and nothing is too long. */
  constructor(
    private readonly source: Source,
    private readonly dataset: DatasetConfig<Readonly<Record<string, string>>>,
    private readonly model?: {
      readonly encoder: Encoder;
      readonly tokenizer: Tokenizer;
      readonly context: number;
    },
  ) {
    this.selection = selectColumns(source, dataset.columns);
    this.filter = sieve(source, dataset.filter ?? []);
    this.columns = [...new Set([...this.selection.columns, ...this.filter.columns])];
  }

  async see(row: NumberedRow): Promise<void> {
    const owner = `dataset ${this.source.path}, row ${row.index}`;
    try {
      const values = this.filter.keeps(row)
        ? shaped(this.selection.pick(row), this.dataset.shape, owner)
        : undefined;
      if (values) await this.accept({ index: row.index, owner, values });
      else this.drop('filtered', '');
    } catch (error) {
      this.dropFor(error);
    }
  }

  async finish(): Promise<Examined> {
    await this.encode();
    return {
      kept: this.kept,
      dropped: [...this.dropped].map(([reason, { count, first }]) => ({ reason, count, first })),
      lengths: Object.fromEntries(
        Object.entries(this.lengths).map(([part, counter]) => [part, counter.histogram()]),
      ),
      sample: this.sample,
    };
  }

  private async accept(row: EncoderRow): Promise<void> {
    if (!this.model || !('prompt' in row.values || 'messages' in row.values)) {
      this.keep({}, () => Object.entries(row.values).map(([part, value]) => plainSegment(part, value)));
      return;
    }
    this.waiting.push(row);
    if (this.waiting.length >= CHUNK) await this.encode();
  }

  private async encode(): Promise<void> {
    const { model, waiting } = this;
    this.waiting = [];
    if (!model || waiting.length === 0) return;
    for (const result of await model.encoder.encode(waiting)) {
      if ('error' in result) this.dropFor(result.error);
      else if (!result.example) this.drop('too long', `more than ${model.context} tokens`);
      else {
        const { example } = result;
        this.keep(partsOf(example), () => segmentsOf(example, model.tokenizer));
      }
    }
  }

  private keep(lengths: Readonly<Record<string, number>>, sample: () => readonly Segment[]): void {
    this.kept++;
    for (const [part, length] of Object.entries(lengths)) (this.lengths[part] ??= new Counter()).add(length);
    if (this.sample.length === 0) this.sample = sample();
  }

  private dropFor(error: unknown): void {
    if (!(error instanceof LatstreamError)) throw error;
    this.drop(error.code, error.message);
  }

  private drop(reason: string, message: string): void {
    const known = this.dropped.get(reason);
    this.dropped.set(reason, { count: (known?.count ?? 0) + 1, first: known?.first ?? message });
  }
}

function partsOf({ prompt, adversarial, desired }: Example): Record<string, number> {
  const longest = Math.max(adversarial?.length ?? 0, desired.length);
  return {
    prompt: prompt.length,
    ...(adversarial && { adversarial: adversarial.length }),
    [adversarial ? 'desired' : 'completion']: desired.length,
    whole: prompt.length + longest,
  };
}

/** An example's text, cut where losses begin and end. */
export function segmentsOf(
  { prompt, adversarial, desired, turns = [] }: Example,
  tokenizer: Tokenizer,
): Segment[] {
  const text = (tokens: readonly number[]): string => tokenizer.decode([...tokens], { specialTokens: true });
  const segments: Segment[] = [];
  let at = 0;
  for (const { start, end } of [...turns, { start: prompt.length, end: prompt.length }]) {
    if (start > at) segments.push({ part: 'prompt', text: text(prompt.slice(at, start)), learned: false });
    if (end > start) segments.push({ part: 'turn', text: text(prompt.slice(start, end)), learned: true });
    at = end;
  }
  if (adversarial) segments.push({ part: 'adversarial', text: text(adversarial), learned: true });
  segments.push({ part: adversarial ? 'desired' : 'completion', text: text(desired), learned: true });
  return segments;
}

function plainSegment(part: string, value: unknown): Segment {
  const text =
    typeof value === 'string'
      ? value
      : JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? `${each}` : each));
  return { part, text, learned: false };
}
