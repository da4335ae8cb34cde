/** @file What went through each part of a run's graph, and who works now: a metric once a second at most, for people. */
import type { DataFigures, TrainingBatch } from '../datasets/index.js';
import { Gauge, type Recorder } from '../streams/index.js';
import type { Passes } from './passes.js';

/** Batches, and what has been given of them where their source knows. */
export type Batches = AsyncIterable<TrainingBatch> & { readonly figures?: () => DataFigures };

const BEAT_MILLISECONDS = 1000;
/** A step that takes long is reported in between, too. */
const LONGEST_SILENCE_BEATS = 10;

type Traced = { readonly trace: readonly unknown[] };

const STAGES = ['search', 'attack', 'defend', 'evaluate', 'checkpoint'] as const;
type Stage = (typeof STAGES)[number];

/**
 * Records the metric `stream`: of each part that the run has, `items/PART` (done), `seconds/PART` (spent on them) and
 * `busy/PART` (1 while it works), all since this process began. Parts are datasets (items: rows), `tokenize` (rows that were
 * kept), `batch` (`ready/batch`: made ahead; `seconds/batch`: the run waited for one), `search`, `attack` (`iterations/attack`),
 * `model` (tokens forward and backward), `defend` (`updates/defend`), `evaluate`, `checkpoint` and `metrics` (records).
 */
export class StreamReport {
  /** Waits for batches. */
  readonly batch = new Gauge();
  readonly stages: Readonly<Record<Stage, Gauge>>;
  readonly #timer = setInterval(() => this.#beat(), BEAT_MILLISECONDS).unref();
  readonly #used = new Set<Stage>();
  #counts = { iterations: 0, updates: 0, tokens: 0, records: 0 };
  #step = 0;
  #told = true;
  #silent = 0;

  /** @param batches of the run */
  constructor(
    private readonly publish: Recorder,
    private readonly batches: Batches,
  ) {
    this.stages = Object.fromEntries(STAGES.map((stage) => [stage, new Gauge()])) as Record<Stage, Gauge>;
  }

  /** Counts what passes through it. */
  readonly record: Recorder = (step, kind, values) => {
    this.#counts.records += 1;
    return this.publish(step, kind, values);
  };

  /** An item of a stage, which from then on is part of the report. */
  during<T>(stage: Stage, step: number, work: () => T | PromiseLike<T>): Promise<T> {
    this.#used.add(stage);
    this.#step = step;
    return this.stages[stage].during(work);
  }

  /** A batch was trained on. */
  trained(attacks: readonly Traced[], updates: readonly unknown[], spent: Passes): void {
    this.#counts.iterations += attacks.reduce((sum, { trace }) => sum + trace.length, 0);
    this.#counts.updates += updates.length;
    this.#counts.tokens += spent.forwardTokens + spent.backwardTokens;
  }

  /** All of a step is done. */
  stepped(): void {
    this.#told = false;
  }

  /** Reports what has not been told yet, and no more after that. */
  close(): void {
    clearInterval(this.#timer);
    if (!this.#told) this.#tell();
  }

  #beat(): void {
    this.#silent += 1;
    const works = [this.batch, ...Object.values(this.stages)].some(({ busy }) => busy);
    if (!this.#told || (works && this.#silent >= LONGEST_SILENCE_BEATS)) this.#tell();
  }

  #tell(): void {
    this.#told = true;
    this.#silent = 0;
    this.record(this.#step, 'stream', this.#values());
  }

  #values(): Record<string, number> {
    const { iterations, updates, tokens, records } = this.#counts;
    const data = this.batches.figures?.();
    const values: Record<string, number> = {};
    for (const [dataset, rows] of Object.entries(data?.rows ?? {})) values[`items/${dataset}`] = rows;
    if (data) values['items/tokenize'] = data.examples;
    Object.assign(values, figuresOf('batch', this.batch));
    if (data) Object.assign(values, { 'items/batch': data.batches, 'ready/batch': data.ready });
    for (const stage of STAGES)
      if (this.#used.has(stage)) Object.assign(values, figuresOf(stage, this.stages[stage]));
    if (this.#used.has('attack')) values['iterations/attack'] = iterations;
    return { ...values, 'updates/defend': updates, 'items/model': tokens, 'items/metrics': records };
  }
}

function figuresOf(part: string, { items, seconds, busy }: Gauge): Record<string, number> {
  return { [`items/${part}`]: items, [`seconds/${part}`]: seconds, [`busy/${part}`]: busy ? 1 : 0 };
}
