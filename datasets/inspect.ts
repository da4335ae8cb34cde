/** @file Looks through a dataset, all of it or a sample, in memory that does not depend on its size. */
import { permutation } from '../foundation/index.js';
import { Examiner, type Examined } from './examine.js';
import { Profiler, type ColumnProfile } from './profile.js';
import { groupAt, readGroups, type Source } from './sources/source.js';

export interface Inspection {
  readonly path: string;
  readonly files: number;
  readonly rows: number;
  /** Row groups, or parts of huge ones; of lines, stretches of them. */
  readonly groups: number;
  readonly bytes: number;
  /** Rows looked at: all, or a sample of whole groups chosen at random. */
  readonly seen: number;
  readonly columns: readonly ColumnProfile[];
  readonly examples?: Examined;
}

export interface InspectOptions {
  /** Counts what becomes of the rows. */
  readonly examiner?: Examiner;
  /** Most rows looked at. */
  readonly limit?: number;
  /** Of the choice of groups, where not all rows are looked at. */
  readonly seed?: number;
  /** Told how many rows were looked at. */
  readonly progress?: (seen: number) => void;
}

/** Rows between two reports of progress. */
const REPORTED = 256;

/** Looks through a source. @throws what reading it throws. */
export async function inspect(source: Source, options: InspectOptions = {}): Promise<Inspection> {
  const { examiner, limit = Infinity, progress } = options;
  const profiler = new Profiler(source);
  let seen = 0;
  for await (const row of readGroups(source, source.columns, orderOf(source, limit, options.seed ?? 0))) {
    if (seen >= limit) break;
    profiler.see(row.row);
    await examiner?.see(row);
    if (++seen % REPORTED === 0) progress?.(seen);
  }
  progress?.(seen);
  return {
    path: source.path,
    files: source.files ?? 1,
    rows: source.rows,
    groups: source.groups.length,
    bytes: source.bytes,
    seen,
    columns: profiler.profile(),
    ...(examiner && { examples: await examiner.finish() }),
  };
}

/** All groups in their order, or as many of them at random as hold `limit` rows. */
function orderOf(source: Source, limit: number, seed: number): Iterable<number> {
  if (limit >= source.rows) return source.groups.keys();
  const order = permutation(source.groups.length, seed, 'inspect');
  let rows = 0;
  const enough = order.findIndex((group) => (rows += groupAt(source, group).rows) >= limit);
  return order.slice(0, enough + 1);
}
