/** @file What the dataset tests share: a tokenizer made here, examples, temporary folders, sources that count. */
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  createTokenizer,
  type Completion,
  type Example,
  type PackedBatch,
  type Row,
  type Source,
  type Tokenizer,
} from '../../datasets/index.js';

const SPECIALS = ['<pad>', '<s>', '</s>', '<|user|>', '<|assistant|>', '<|end|>'];

/** A tokenizer of single bytes, with special tokens; `prefixed` marks starts of texts with a space, `addsBos` adds `<s>`. */
export function byteTokenizer(options: ByteOptions = {}): Tokenizer {
  return createTokenizer(byteDefinition(options), {
    bos_token: '<s>',
    eos_token: { content: '</s>' },
    pad_token: '<pad>',
  });
}

interface ByteOptions {
  readonly prefixed?: boolean;
  readonly addsBos?: boolean;
}

/** The tokenizer.json of {@link byteTokenizer}. */
export function byteDefinition(options: ByteOptions = {}): Readonly<Record<string, unknown>> {
  const vocab = Object.fromEntries([...SPECIALS, ...byteCharacters()].map((token, id) => [token, id]));
  const special = (id: number, content: string): object => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const processor = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
  };
  return {
    version: '1.0',
    added_tokens: SPECIALS.map((content, id) => special(id, content)),
    normalizer: options.prefixed ? { type: 'Prepend', prepend: ' ' } : null,
    pre_tokenizer: byteLevel,
    post_processor: options.addsBos ? processor : null,
    decoder: byteLevel,
    model: { type: 'BPE', vocab, merges: [] },
  };
}

/** The printable characters that stand for the 256 bytes in byte-level vocabularies (GPT-2's table). */
function byteCharacters(): string[] {
  let spare = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(printable ? byte : spare++);
  });
}

const ids = (minLength: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 90 }), { minLength, maxLength });

/** Pairs of token ids. */
export const pairExamples = (maxRows = 6): fc.Arbitrary<Required<Omit<Example, 'turns' | 'labels'>>[]> =>
  fc.array(fc.record({ prompt: ids(1, 12), adversarial: ids(1, 9), desired: ids(1, 9) }), {
    minLength: 1,
    maxLength: maxRows,
  });

/** What predicts one label: everything its state can see, by the attention rule of packed rows. */
export interface LabelContext {
  readonly row: number;
  readonly completion: Completion;
  readonly target: number;
  readonly weight: number;
  /** `position:token:slot` of the visible tokens, by position. */
  readonly visible: readonly string[];
}

/** The labels of a batch, read back from its arrays alone. */
export function labelContexts(batch: PackedBatch): LabelContext[] {
  return (['adversarial', 'desired'] as const).flatMap((completion) => {
    const labels = batch.labels[completion];
    if (!labels) return [];
    return [...labels.index.keys()]
      .filter((at) => labels.weights[at] !== 0)
      .map((at) => {
        const index = labels.index[at]!;
        const row = Math.floor(index / batch.length);
        return {
          row,
          completion,
          target: labels.tokens[at]!,
          weight: labels.weights[at]!,
          visible: visibleFrom(batch, row, index),
        };
      });
  });
}

function visibleFrom(batch: PackedBatch, row: number, query: number): string[] {
  return Array.from({ length: batch.length }, (_, column) => row * batch.length + column)
    .filter((key) => {
      const segment = batch.segments[key];
      const own = segment === batch.segments[query] || segment === 1;
      return segment !== 0 && own && batch.positions[key]! <= batch.positions[query]!;
    })
    .sort((a, b) => batch.positions[a]! - batch.positions[b]!)
    .map((key) => `${batch.positions[key]}:${batch.tokens[key]}:${batch.slots[key]}`);
}

/** A folder that is removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latstream-datasets-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A source in memory that counts the rows it has given and notices being closed. */
export class CountingSource implements Source {
  readonly path = 'memory';
  readonly bytes = 0;
  readonly columns: readonly string[];
  readonly rows: number;
  readonly groups: readonly { start: number; rows: number }[];
  readonly reads: number[] = [];
  rowsRead = 0;
  closed = 0;

  constructor(
    counts: readonly number[],
    private readonly make: (index: number) => Row = (index) => ({ value: index }),
  ) {
    let start = 0;
    this.groups = counts.map((rows) => ({ start: (start += rows) - rows, rows }));
    this.rows = start;
    this.columns = Object.keys(make(0));
  }

  async read(group: number): Promise<readonly Row[]> {
    const { start, rows } = this.groups[group]!;
    this.reads.push(group);
    this.rowsRead += rows;
    return Array.from({ length: rows }, (_, offset) => this.make(start + offset));
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

/** The first `count` items; the source is closed after them. */
export async function take<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  if (count === 0) return taken;
  for await (const item of items) if (taken.push(item) >= count) break;
  return taken;
}
