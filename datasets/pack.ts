/** @file Examples as a packed batch: rows, positions, segments, label sets, slots. Knows nothing about text or files. */
import { complain } from '../foundation/index.js';
import { SEGMENT, type Completion, type LabelSet, type PackedBatch } from './batch.js';
import { bucket, type Sizes } from './bucket.js';
import { UNLABELLED } from './labelled.js';
import type { Example } from './example.js';
import type { Span } from './chat/spans.js';

export interface PackOptions {
  /** Tokens that receive a perturbation vector: default `prompt`; benign rows take `none`. */
  readonly attacked?: 'prompt' | 'prompt+completions' | 'none';
  /** On which side rows are padded: default `right`. */
  readonly padding?: 'left' | 'right';
  /**
   * `packed` (default): one row per example. `separate`: one row per completion, all adversarial ones first, then all
   * desired ones, in the order of the examples; the same mathematics where both rows of an example get the same
   * perturbation.
   */
  readonly layout?: 'packed' | 'separate';
  /** Sizes are at least these. */
  readonly minimum?: Partial<Sizes>;
}

/** A completion within a row. */
interface Part {
  readonly completion: Completion;
  readonly tokens: readonly number[];
}

interface RowPlan {
  readonly prompt: readonly number[];
  readonly parts: readonly Part[];
  /** Tokens of the prompt that the desired completion's label set predicts, too. */
  readonly turns: readonly Span[];
  /** Of a row that is labelled place by place. */
  readonly labels?: readonly number[];
}

/**
 * Packs examples. Sizes are rounded up to a few ({@link bucket}); both label sets share one size.
 * @throws PACK_EMPTY without examples, or where one has an empty prompt (no state would predict its first label).
 */
export function pack(examples: readonly Example[], options: PackOptions = {}): PackedBatch {
  const { attacked = 'prompt', padding = 'right', layout = 'packed' } = options;
  if (examples.length === 0 || examples.some((example) => example.prompt.length === 0)) return nothing();
  const rows = layout === 'packed' ? examples.map(packedRow) : separateRows(examples);
  const counts = { adversarial: labelCount(rows, 'adversarial'), desired: labelCount(rows, 'desired') };
  const sizes = bucket(
    {
      length: Math.max(...rows.map(lengthOf)),
      labels: Math.max(counts.adversarial, counts.desired),
      slots: attacked === 'none' ? 0 : Math.max(...rows.map((row) => slotsOf(row, attacked))),
    },
    options.minimum,
  );
  const grid = new Grid(rows.length, sizes.length, attacked);
  const labels: Partial<Record<Completion, LabelWriter>> = {};
  for (const completion of ['adversarial', 'desired'] as const)
    if (counts[completion] > 0) labels[completion] = new LabelWriter(sizes.labels, counts[completion]);
  rows.forEach((row, at) => {
    grid.write(row, at, padding === 'left' ? sizes.length - lengthOf(row) : 0, labels);
  });
  return {
    rows: rows.length,
    rowWeight: 1 / rows.length,
    length: sizes.length,
    tokens: grid.tokens,
    positions: grid.positions,
    segments: grid.segments,
    slots: grid.slots,
    slotCount: sizes.slots,
    labels: Object.fromEntries(
      Object.entries(labels).map(([completion, writer]) => [completion, writer.labels]),
    ),
  };
}

/** The row-major arrays of a batch while it is written. */
class Grid {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
  readonly slots: Int32Array;

  constructor(
    rows: number,
    private readonly length: number,
    private readonly attacked: 'prompt' | 'prompt+completions' | 'none',
  ) {
    this.tokens = new Int32Array(rows * length);
    this.positions = new Int32Array(rows * length);
    this.segments = new Int32Array(rows * length);
    this.slots = new Int32Array(rows * length).fill(-1);
  }

  write(row: RowPlan, at: number, column: number, labels: Partial<Record<Completion, LabelWriter>>): void {
    const start = at * this.length + column;
    this.segment(row.prompt, start, 0, SEGMENT.prompt, this.attacked !== 'none');
    for (const position of labelledInPrompt(row))
      labels.desired?.add(start + position - 1, row.prompt[position] as number);
    for (const completion of ['adversarial', 'desired'] as const)
      for (const [position, token] of placesOf(row, completion))
        labels[completion]?.add(start + position - 1, token);
    const lastOfPrompt = start + row.prompt.length - 1;
    let next = lastOfPrompt + 1;
    for (const { completion, tokens } of row.parts) {
      const attack = this.attacked === 'prompt+completions';
      this.segment(tokens, next, row.prompt.length, SEGMENT[completion], attack);
      // The prompt's last state predicts each completion's first token, wherever in the row that completion lies.
      tokens.forEach((token, offset) => {
        labels[completion]?.add(offset === 0 ? lastOfPrompt : next + offset - 1, token);
      });
      next += tokens.length;
    }
  }

  private segment(
    tokens: readonly number[],
    start: number,
    position: number,
    segment: number,
    attack: boolean,
  ): void {
    this.tokens.set(tokens, start);
    this.segments.fill(segment, start, start + tokens.length);
    for (let offset = 0; offset < tokens.length; offset++) {
      this.positions[start + offset] = position + offset;
      if (attack) this.slots[start + offset] = position + offset;
    }
  }
}

/** A label set while it is written. */
class LabelWriter {
  readonly labels: LabelSet;
  private written = 0;

  constructor(
    size: number,
    private readonly count: number,
  ) {
    this.labels = {
      index: new Int32Array(size),
      tokens: new Int32Array(size),
      weights: new Float32Array(size),
    };
  }

  add(index: number, token: number): void {
    this.labels.index[this.written] = index;
    this.labels.tokens[this.written] = token;
    this.labels.weights[this.written] = 1 / this.count;
    this.written++;
  }
}

function packedRow({ prompt, adversarial = [], desired, turns = [], labels }: Example): RowPlan {
  const parts: readonly Part[] = [
    { completion: 'adversarial', tokens: adversarial },
    { completion: 'desired', tokens: desired },
  ];
  return { prompt, parts: parts.filter(({ tokens }) => tokens.length > 0), turns, ...(labels && { labels }) };
}

function separateRows(examples: readonly Example[]): RowPlan[] {
  const all = examples.map(packedRow);
  const only = (completion: Completion): RowPlan[] =>
    all
      .map(({ prompt, parts, turns }) => ({
        prompt,
        parts: parts.filter((part) => part.completion === completion),
        turns: completion === 'desired' ? turns : [],
      }))
      .filter(({ parts }) => parts.length > 0);
  return [...only('adversarial'), ...only('desired')];
}

function lengthOf({ prompt, parts }: RowPlan): number {
  return parts.reduce((sum, part) => sum + part.tokens.length, prompt.length);
}

function slotsOf({ prompt, parts }: RowPlan, attacked: 'prompt' | 'prompt+completions'): number {
  if (attacked === 'prompt') return prompt.length;
  return prompt.length + Math.max(0, ...parts.map((part) => part.tokens.length));
}

function labelCount(rows: readonly RowPlan[], completion: Completion): number {
  const parts = rows.flatMap((row) => row.parts).filter((part) => part.completion === completion);
  const ofTurns = completion === 'desired' ? rows.flatMap(labelledInPrompt).length : 0;
  const places = rows.reduce((sum, row) => sum + placesOf(row, completion).length, 0);
  return parts.reduce((sum, part) => sum + part.tokens.length, ofTurns + places);
}

/**
 * Places of a labelled row and the tokens that a completion's label set has there: its own tokens for the adversary, its
 * labels for the defender. Nothing predicts the first.
 */
function placesOf({ prompt, labels = [] }: RowPlan, completion: Completion): (readonly [number, number])[] {
  const wanted = labels.length === 0 || completion === 'desired' ? labels : prompt;
  return [...wanted.entries()].filter(([position, token]) => position > 0 && token !== UNLABELLED);
}

/** Positions in the prompt of tokens that are predicted; nothing predicts the first token. */
function labelledInPrompt({ turns }: RowPlan): number[] {
  return turns
    .flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at))
    .filter((position) => position > 0);
}

function nothing(): never {
  return complain({
    code: 'PACK_EMPTY',
    owner: 'pack',
    expected: 'examples, each with a prompt of at least one token',
    got: 'none, or an empty prompt',
    hint: 'leave out empty prompts; a chat template or BOS gives each at least one token',
  });
}
