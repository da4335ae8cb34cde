/**
 * @file What a record holds behind a place in it, for those who ask again and again: a piece at a time, in bounded memory.
 * A record that was written anew (a resume drops what came after its checkpoint) is begun again.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { metricFrom, type Metric } from '../streams/index.js';
import { History } from './history.js';

export interface MetricsPage {
  /** Of this piece, each series thinned out evenly; in sequence. */
  readonly metrics: readonly Metric[];
  /** Whether they are from the beginning: what was read before is void. */
  readonly fresh: boolean;
  /** Where the next piece begins, for the next question. */
  readonly next: string;
  /** Whether there is more already. */
  readonly more: boolean;
}

const PIECE_BYTES = 2 ** 21;

/**
 * The metrics of a file behind a place.
 * @param after `next` of the answer before; anything else means the beginning
 * @param points of each run and kind, at most
 * @param piece bytes that are read at once; a line that is longer is passed over
 * @returns an empty page where there is no file
 */
export async function metricsAfter(
  path: string,
  after: string,
  points: number,
  piece = PIECE_BYTES,
): Promise<MetricsPage> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { metrics: [], fresh: true, next: '', more: false };
  }
  try {
    const { ino, birthtimeMs, size } = await file.stat();
    const name = `${ino}-${Math.round(birthtimeMs)}`;
    const known = new RegExp(`^${name}-(\\d{1,15})$`).exec(after);
    const begun = known && Number(known[1]) <= size ? Number(known[1]) : 0;
    const room = Buffer.alloc(Math.max(1, Math.min(piece, size - begun)));
    const { buffer, bytesRead } = await file.read(room, { position: begun });
    const whole = buffer.lastIndexOf('\n', bytesRead) + 1;
    // Without a line's end in a whole piece, this is no record's line; its rest is none, either.
    const length = whole > 0 || bytesRead < piece ? whole : bytesRead;
    const history = new History(points);
    for (const line of buffer.toString('utf8', 0, length).split('\n')) {
      const metric = metricIn(line);
      if (metric) history.add(metric);
    }
    return {
      metrics: history.after(-1),
      fresh: begun === 0,
      next: `${name}-${begun + length}`,
      more: length > 0 && begun + length < size,
    };
  } finally {
    await file.close();
  }
}

function metricIn(line: string): Metric | undefined {
  try {
    return metricFrom(JSON.parse(line));
  } catch {
    return undefined;
  }
}
