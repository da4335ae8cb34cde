/** @file Encoded rows as an Arrow file, whose name says what is in it. Knows nothing about what rows mean. */
import {
  Field,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Uint64,
  type Data,
} from 'apache-arrow';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeAtomically } from '../formats/index.js';
import type { Example } from './example.js';
import type { RowKey } from './row-key.js';

/** A row and what became of it: no example where it was dropped. */
export interface Entry {
  readonly key: RowKey;
  readonly example: Example | undefined;
}

/** Lengths of the parts of a row's tokens, in their order; −1 for what is not there. */
const PARTS = ['prompt', 'desired', 'adversarial', 'turns', 'labels'] as const;

/**
 * Writes entries as a segment, complete or not at all. Its name is a digest of its content.
 * @returns its path
 */
export async function writeSegment(directory: string, entries: readonly Entry[]): Promise<string> {
  const bytes = tableToIPC(new Table(batchOf(entries)), 'file');
  const path = join(directory, `${digestOf(bytes)}.arrow`);
  await writeAtomically(path, [bytes]);
  return path;
}

/** A segment on disk: its keys in memory, its tokens read row by row. */
export class Segment {
  readonly bytes: number;
  private readonly high: BigUint64Array;
  private readonly low: BigUint64Array;
  private readonly lengths: readonly Int32Array[];
  private readonly offsets: Int32Array;
  /** Where the tokens begin, in bytes. */
  private readonly start: number;
  private file: number | undefined;

  /** @throws Error where its content is not what its name says. */
  constructor(readonly path: string) {
    const bytes = readFileSync(path);
    if (basename(path) !== `${digestOf(bytes)}.arrow`) throw new Error('a damaged file');
    const children = tableFromIPC(bytes).batches[0]?.data.children as readonly Data[] | undefined;
    const [high, low, tokens, ...lengths] = children ?? [];
    const values = tokens?.children[0]?.values as Int32Array | undefined;
    if (!high || !low || !tokens || !values || lengths.length !== PARTS.length)
      throw new Error('another format');
    // Copies: views would keep the whole file in memory.
    this.high = new BigUint64Array(high.values as BigUint64Array);
    this.low = new BigUint64Array(low.values as BigUint64Array);
    this.offsets = new Int32Array(tokens.valueOffsets as Int32Array);
    this.lengths = lengths.map((length) => new Int32Array(length.values as Int32Array));
    this.start = values.byteOffset - bytes.byteOffset;
    this.bytes = bytes.length;
  }

  get rows(): number {
    return this.high.length;
  }

  key(row: number): RowKey {
    return { high: this.high[row] ?? 0n, low: this.low[row] ?? 0n };
  }

  /** @throws Error where the file has changed since it was opened. */
  example(row: number): Example | undefined {
    const [from = 0, to = 0] = this.offsets.subarray(row, row + 2);
    const tokens = new Int32Array(to - from);
    this.file ??= openSync(this.path, 'r');
    const read = readSync(this.file, tokens, 0, tokens.byteLength, this.start + 4 * from);
    if (read < tokens.byteLength) throw new Error(`an end in the middle of ${this.path}`);
    let at = 0;
    const [prompt, desired, adversarial, turns, labels] = this.lengths.map((lengths) => {
      const length = lengths[row] ?? -1;
      return length < 0 ? undefined : [...tokens.subarray(at, (at += length))];
    });
    if (!prompt || !desired) return undefined;
    return {
      prompt,
      desired,
      ...(adversarial && { adversarial }),
      ...(turns && { turns: spansOf(turns) }),
      ...(labels && { labels }),
    };
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }
}

function batchOf(entries: readonly Entry[]): RecordBatch {
  const length = entries.length;
  const rows = entries.map(({ example }) => partsOf(example));
  const flat = rows.map((parts) => parts.flatMap((part) => part ?? []));
  const valueOffsets = new Int32Array(length + 1);
  flat.forEach((tokens, row) => (valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + tokens.length));
  const values = Int32Array.from(flat.flat());
  const tokens = makeData({ type: new Int32(), length: values.length, data: values });
  const key = (name: keyof RowKey): Data =>
    makeData({ type: new Uint64(), length, data: BigUint64Array.from(entries, (entry) => entry.key[name]) });
  const list = new List(new Field('item', new Int32(), false));
  const children: readonly [string, Data][] = [
    ['high', key('high')],
    ['low', key('low')],
    ['tokens', makeData({ type: list, length, valueOffsets, child: tokens })],
    ...PARTS.map((name, part): [string, Data] => [
      name,
      makeData({
        type: new Int32(),
        length,
        data: Int32Array.from(rows, (parts) => parts[part]?.length ?? -1),
      }),
    ]),
  ];
  const fields = children.map(([name, { type }]) => new Field(name, type, false));
  const type = new Struct(fields);
  return new RecordBatch(
    new Schema(fields),
    makeData({ type, length, children: children.map(([, data]) => data) }),
  );
}

function partsOf(example: Example | undefined): readonly (readonly number[] | undefined)[] {
  if (!example) return PARTS.map(() => undefined);
  const turns = example.turns?.flatMap(({ start, end }) => [start, end]);
  return [example.prompt, example.desired, example.adversarial, turns, example.labels];
}

function spansOf(places: readonly number[]): NonNullable<Example['turns']> {
  return Array.from({ length: places.length / 2 }, (_, at) => ({
    start: places[2 * at] as number,
    end: places[2 * at + 1] as number,
  }));
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
