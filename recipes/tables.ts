/** @file What a recipe may say of tables: columns, filters of rows, questions of an evaluation. Depends on zod. */
import { z } from 'zod';
import { outside } from './adaptive-attacks.js';

const count = z.int().nonnegative();
const positive = z.int().positive();

/** A table and which of its columns are what. Paths that begin with `@out/` are inside the run's directory. */
export const source = z.strictObject({
  path: z.string(),
  columns: z.record(z.string(), z.string()),
});

const comparable = z.union([z.string(), z.number(), z.boolean()]);

const columnFilter = z.strictObject({
  column: z.string(),
  equals: comparable.exactOptional(),
  notEquals: comparable.exactOptional(),
  in: z.array(comparable).exactOptional(),
  /** A regular expression. */
  matches: z.string().exactOptional(),
  notMatches: z.string().exactOptional(),
  minLength: count.exactOptional(),
  maxLength: count.exactOptional(),
  exists: z.boolean().exactOptional(),
});

/** Rows by their number in the file. */
const rowRange = z.strictObject({
  rows: z.strictObject({ from: count.exactOptional(), to: positive.exactOptional() }),
});

export const filter = z.union([columnFilter, rowRange]);

/** A table of an evaluation; without columns, those of a known benchmark. */
export const asked = source.extend({
  columns: source.shape.columns.exactOptional(),
  filter: z.array(filter).exactOptional(),
});

/** Questions with a list of `turns`, or a `prompt`, and who scores the answers. */
export const chats = asked.extend({
  by: outside,
  scale: z
    .tuple([z.number(), z.number()])
    .refine(([least, most]) => least < most, 'the least and the greatest score')
    .exactOptional(),
  maxNewTokens: positive.exactOptional(),
});
