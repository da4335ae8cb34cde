/** @file What a daemon is asked of a sweep over its API and answers, as schemas. Depends on zod. */
import { z } from 'zod';

/** By name, what a cell is; as the grid had it. */
const settings = z.record(z.string(), z.json());

/** What was measured of one arm: attacks, then tables of requests that should be answered. */
const measures = z.array(
  z.object({
    name: z.string(),
    /** What is counted: requests complied with, or answered right. */
    counts: z.enum(['comply', 'correct']),
    /** A share, from 0 to 1, with its interval of 95 %. */
    estimate: z.number(),
    low: z.number(),
    high: z.number(),
    /** Requests. */
    n: z.int(),
    /** Of these, neither complied with nor refused; null where nothing attacks. */
    incoherent: z.int().nullable(),
  }),
);
export type Measures = z.infer<typeof measures>;

/** The query of `GET /sweeps/NAME`. */
export const sweepQuery = z.strictObject({
  /** Whose figures; the last one's that was evaluated, if not given. `base` is the untrained model. */
  arm: z.string().max(200).exactOptional(),
});

export type SweepQuery = z.infer<typeof sweepQuery>;

/** The reply to it. */
export const sweepView = z.object({
  name: z.string(),
  /** The names of what is varied, in the grid's order. */
  settings: z.array(z.string()),
  /** Those that were evaluated in any cell. */
  arms: z.array(z.string()),
  /** Whose figures these are; null where nothing was evaluated. */
  arm: z.string().nullable(),
  cells: z.array(
    z.object({
      /** Its run; the last one where it was submitted again. */
      run: z.string(),
      settings,
      /** Why its evaluations cannot be read. */
      damage: z.string().nullable(),
      /** With Wilson intervals; none before the arm's evaluation. */
      measures,
    }),
  ),
  /** Cells that differ in nothing but their seed, together; none where the seed is not varied. */
  means: z.array(
    z.object({
      settings,
      /** Of these cells, those where the arm is evaluated. */
      runs: z.array(z.string()),
      /** Why they cannot be counted. */
      damage: z.string().nullable(),
      /** With intervals by the bootstrap over seeds and requests; null while they are being counted: ask again. */
      measures: measures.nullable(),
    }),
  ),
});
export type SweepView = z.infer<typeof sweepView>;
