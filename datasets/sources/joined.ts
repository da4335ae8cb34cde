/** @file Several files as one source, one after the other. Knows no file format. */
import { complain } from '../../foundation/index.js';
import { groupAt, groupsOf, type Source } from './source.js';

/** Files whose headers are read at the same time. */
const OPENED_TOGETHER = 8;

/**
 * Opens files as one source: its groups are theirs, in the order of `paths`.
 * @param alike false where rows need not have all columns (JSON): what one lacks is null.
 * @throws DATASET_COLUMNS where a file lacks a column that another has.
 */
export async function joined(
  name: string,
  paths: readonly string[],
  open: (path: string) => Promise<Source>,
  alike = true,
): Promise<Source> {
  const parts: Source[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.close()));
  };
  try {
    for (let at = 0; at < paths.length; at += OPENED_TOGETHER) {
      const opened = await Promise.allSettled(paths.slice(at, at + OPENED_TOGETHER).map(open));
      for (const each of opened) if (each.status === 'fulfilled') parts.push(each.value);
      const failed = opened.find((each) => each.status === 'rejected');
      if (failed) throw failed.reason;
    }
    if (alike) checkColumns(parts);
  } catch (error) {
    await close();
    throw error;
  }
  const places = parts.flatMap((part) => part.groups.map((_, group) => ({ part, group })));
  const groups = groupsOf(parts.flatMap((part) => part.groups.map(({ rows }) => rows)));
  const source: Source = {
    path: name,
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    ...(parts.some(({ etag }) => etag !== undefined) && {
      etag: parts.map(({ etag }) => etag ?? '').join(' '),
    }),
    files: parts.length,
    ...(parts.some(({ etag }) => etag) && { etag: parts.map(({ etag }) => etag ?? '').join() }),
    columns: [...new Set(parts.flatMap((part) => part.columns))],
    ...(parts[0]?.types && { types: parts[0].types }),
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    groups,
    read: async (group, columns) => {
      groupAt(source, group);
      const place = places[group];
      return place ? place.part.read(place.group, columns) : [];
    },
    close,
  };
  return source;
}

function checkColumns(parts: readonly Source[]): void {
  const filled = parts.filter((part) => part.rows > 0);
  const all = [...new Set(filled.flatMap((part) => part.columns))];
  for (const part of filled) {
    const missing = all.find((name) => !part.columns.includes(name));
    const other = filled.find((each) => missing !== undefined && each.columns.includes(missing));
    if (missing !== undefined)
      complain({
        code: 'DATASET_COLUMNS',
        owner: `dataset ${part.path}`,
        expected: `the columns of ${other?.path ?? 'the other files'}, ${missing} among them`,
        got: part.columns.join(', '),
        hint: 'read files of different columns as sources of their own',
      });
  }
}
