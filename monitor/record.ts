/** @file Metrics on disk: append-only NDJSON that survives a crash, read back for resume, replay and reports. */
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { complain } from '../foundation/index.js';
import { metricFrom, type Metric } from '../streams/index.js';

/**
 * The metrics of a file, in the order of the file. A line that is no metric is skipped: a crash leaves a torn last
 * line, and a disk that was full leaves one in the middle.
 */
export async function* metricsIn(path: string): AsyncGenerator<Metric> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const metric = metricFrom(parsed(line));
    if (metric !== undefined) yield metric;
  }
}

/** Keeps what was measured up to a checkpoint: of `run` the steps until `step`, of other runs everything. */
export function untilStep(run: string, step: number): (metric: Metric) => boolean {
  return (metric) => metric.run !== run || metric.step <= step;
}

/** An open record. Appends are in order and reach the file without being waited for. */
export interface MetricRecord {
  /** The sequence number for the next metric: one more than the last on disk. */
  readonly next: number;
  append(metric: Metric): void;
  /** Resolves when everything appended so far was handed to the operating system (a killed process loses nothing). */
  flush(): Promise<void>;
  /** Flushes and syncs to disk. */
  close(): Promise<void>;
}

/**
 * Opens (or creates) a record for appending.
 * @param keep which metrics of an existing file stay; on resume, those up to the checkpoint, so that the history has
 *   each step once. The file is replaced in one move. Everything by default.
 * @throws RECORD_WRITE, at open or from `flush` and `close`, when the file cannot be written.
 */
export async function openRecord(
  path: string,
  keep: (metric: Metric) => boolean = () => true,
): Promise<MetricRecord> {
  try {
    const next = existsSync(path) ? await rewrite(path, keep) : 0;
    const file = createWriteStream(path, { flags: 'a' });
    await once(file, 'open');
    return recordOf(file, path, next);
  } catch (error) {
    return failToWrite(path, error);
  }
}

/** Drops torn lines and what is not kept. @returns the next sequence number. */
async function rewrite(path: string, keep: (metric: Metric) => boolean): Promise<number> {
  let next = 0;
  const temporary = `${path}.new`;
  const copy = await open(temporary, 'w');
  try {
    let lines: string[] = [];
    for await (const metric of metricsIn(path)) {
      if (!keep(metric)) continue;
      next = Math.max(next, metric.sequence + 1);
      lines.push(lineOf(metric));
      if (lines.length === 4096) await copy.appendFile(lines.splice(0).join(''));
    }
    await copy.appendFile(lines.join(''));
    lines = [];
    await copy.sync();
  } finally {
    await copy.close();
  }
  await rename(temporary, path);
  return next;
}

function recordOf(file: WriteStream, path: string, next: number): MetricRecord {
  let failure: unknown;
  file.on('error', (error) => (failure ??= error));
  const check = (): void => {
    if (failure !== undefined) failToWrite(path, failure);
  };
  const flush = async (): Promise<void> => {
    check();
    await new Promise((resolve) => file.write('', resolve));
    check();
  };
  return {
    get next() {
      return next;
    },
    append: (metric) => {
      next = Math.max(next, metric.sequence + 1);
      if (failure === undefined) file.write(lineOf(metric));
    },
    flush,
    close: async () => {
      await flush();
      await new Promise<void>((resolve) => file.end(() => resolve()));
      const handle = await open(path, 'r+');
      await handle.sync().finally(() => handle.close());
    },
  };
}

function lineOf(metric: Metric): string {
  return `${JSON.stringify(metric)}\n`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function failToWrite(path: string, error: unknown): never {
  return complain(
    {
      code: 'RECORD_WRITE',
      owner: `record ${path}`,
      expected: 'a file that can be written',
      got: error instanceof Error ? error.message : String(error),
      hint: 'check the folder, its permissions and the free space',
    },
    { cause: error },
  );
}
