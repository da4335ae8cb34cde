/** @file The metrics of a run that trains anywhere, behind a place in its stream. */
import { History, type MetricsPage } from '../monitor/index.js';
import { metricFrom } from '../streams/index.js';
import { KEYS } from './keys.js';
import { replies, type Connection } from './redis.js';

const PIECE = 5000;
const PLACE = /^([\d.]+)_(\d+-\d+)$/;

type Entries = readonly (readonly [string, readonly string[]])[];

/** As `metricsAfter` of the monitor, whose `next` means nothing here. */
export async function metricsBehind(
  redis: Connection,
  id: string,
  after: string,
  points: number,
): Promise<MetricsPage> {
  const [, known, last] = PLACE.exec(after) ?? [];
  const [stream, rest] = await read(redis, id, last === undefined ? '-' : `(${last}`);
  if (stream === null) return { metrics: [], fresh: true, next: '', more: false };
  const fresh = stream !== known;
  // Another stream took the place of the one that was read: from its beginning then.
  const [name, entries] = fresh && last !== undefined ? await read(redis, id, '-') : [stream, rest];
  const history = new History(points);
  for (const [, [, text = '']] of entries) {
    const metric = metricFrom(JSON.parse(text));
    if (metric) history.add(metric);
  }
  const end = entries.at(-1)?.[0] ?? (fresh ? '0-0' : last);
  return { metrics: history.after(-1), fresh, next: `${name}_${end}`, more: entries.length === PIECE };
}

async function read(redis: Connection, id: string, from: string): Promise<[string | null, Entries]> {
  const asked = redis
    .multi()
    .hget(KEYS.run(id), 'stream')
    .xrange(KEYS.metrics(id), from, '+', 'COUNT', PIECE);
  const [stream, entries] = await replies(asked);
  return [stream as string | null, entries as Entries];
}
