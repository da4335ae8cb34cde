/** @file Opens datasets: files by their format, and many files as one. Knows nothing about what rows mean. */
import { unpackedName } from '../../formats/index.js';
import { complain } from '../../foundation/index.js';
import { openCsv } from './csv.js';
import type { Format } from './format.js';
import { openJsonl, openJsonList } from './jsonl.js';
import { orComplain } from './or-complain.js';
import { paragraphs, textLines } from './lines.js';
import { joined } from './joined.js';
import { openParquet } from './parquet.js';
import { filesOf } from './places.js';
import { openRecords } from './records.js';
import type { Source } from './source.js';
import { openUnpacked } from './unpacked.js';

export type { Format } from './format.js';

/** Where a dataset is: a file, a folder, a pattern such as `data/train-*.parquet`, or a list of these. */
export type Place = string | readonly string[];

/** Opens a source; tests and callers with files of their own pass another one. */
export type OpenSource = (place: Place, format?: Format) => Promise<Source>;

/**
 * Opens a dataset. A file's format is told by its first bytes (Parquet, Arrow), then by the ending of its name
 * (`.parquet`; `.arrow`, `.feather`, `.ipc`; `.csv`, `.tsv`; `.txt`; `.json` with a list in it); anything else is JSON
 * lines. All but Parquet and Arrow may be in gzip or zstd, with `.gz` or `.zst` behind that ending. Many files (of a
 * folder, a pattern or a list) are one after the other, those of a folder or pattern sorted.
 * @param format instead of what bytes and endings say; `paragraphs` is text cut at blank lines.
 * @throws DATASET_MISSING, DATASET_EMPTY (no rows), DATASET_FORMATS and DATASET_COLUMNS (files that do not belong
 * together), and what reading a format throws.
 */
export async function openSource(place: Place, format?: Format): Promise<Source> {
  const paths = await filesOf(place);
  const [first] = paths;
  const name = typeof place === 'string' ? place : `${first ?? 'none'} and others`;
  const source =
    paths.length === 1 && first !== undefined
      ? await openFile(first, format)
      : await openFiles(name, paths, format);
  if (source.rows > 0) return source;
  await source.close();
  return complain({
    code: 'DATASET_EMPTY',
    owner: `dataset ${name}`,
    expected: 'at least one row',
    got: 'none',
    hint: 'point to a file that holds rows',
  });
}

const OPENERS: Readonly<Record<Format, (path: string) => Promise<Source>>> = {
  parquet: (path) => openParquet(path),
  // Half of what it costs to load all formats.
  arrow: async (path) => (await import('./arrow.js')).openArrow(path),
  jsonl: (path) => openJsonl(path),
  json: (path) => openJsonList(path),
  csv: (path) => openCsv(path),
  tsv: (path) => openCsv(path, '\t'),
  text: (path) => openRecords(path, textLines),
  paragraphs: (path) => openRecords(path, paragraphs),
};

async function openFile(path: string, format?: Format): Promise<Source> {
  return OPENERS[format ?? formatOf(await start(path), path)](path);
}

async function openFiles(name: string, paths: readonly string[], format?: Format): Promise<Source> {
  const formats = format
    ? [format]
    : await Promise.all(paths.map(async (path) => formatOf(await start(path), path)));
  const [first] = formats;
  const other = formats.findIndex((each) => each !== first);
  if (other >= 0)
    complain({
      code: 'DATASET_FORMATS',
      owner: `dataset ${name}`,
      expected: `files of one format, ${first} as ${paths[0]}`,
      got: `${formats[other]} in ${paths[other]}`,
      hint: 'name the files by a pattern that leaves the others out',
    });
  return joined(name, paths, (path) => OPENERS[first as Format](path), first !== 'jsonl' && first !== 'json');
}

const ENDINGS: readonly [RegExp, Format][] = [
  [/\.parquet$/i, 'parquet'],
  [/\.(arrow|feather|ipc)$/i, 'arrow'],
  [/\.csv$/i, 'csv'],
  [/\.(tsv|tab)$/i, 'tsv'],
  [/\.(txt|text)$/i, 'text'],
];

function formatOf(start: string, path: string): Format {
  if (start.startsWith('PAR1')) return 'parquet';
  // An Arrow stream starts with a mark of bytes that no text in UTF-8 holds.
  if (start.startsWith('ARROW1') || start.startsWith('\xff\xff\xff\xff')) return 'arrow';
  const name = unpackedName(path);
  const byEnding = ENDINGS.find(([ending]) => ending.test(name))?.[1];
  if (byEnding) return byEnding;
  return /\.json$/i.test(name) && /^(\xef\xbb\xbf)?\s*\[/.test(start) ? 'json' : 'jsonl';
}

/** The first bytes of a file, unpacked. */
function start(path: string): Promise<string> {
  const complaint = {
    code: 'DATASET_MISSING',
    owner: `dataset ${path}`,
    expected: 'a readable file',
    hint: 'check the path; relative paths start at the working directory',
  };
  return orComplain(complaint, async () => {
    const bytes = await openUnpacked(path);
    try {
      return Buffer.from(await bytes.read(0, Math.min(64, bytes.size))).toString('latin1');
    } finally {
      await bytes.close();
    }
  });
}
