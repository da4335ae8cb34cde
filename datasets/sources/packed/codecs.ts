/** @file Which compression a file has, told by its first bytes. Reads no file. */
import { complain } from '../../../foundation/index.js';
import { unpackGzip } from './gzip.js';
import { unpackZstd } from './zstd.js';

/**
 * The content of compressed chunks of any length, a bounded part of it at a time.
 * @throws Damaged where they are not whole; what reading the chunks throws.
 */
export type Unpack = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** How many of a file's first bytes are looked at. */
export const TELLING_BYTES = 262;

const CODECS: readonly (readonly [RegExp, Unpack])[] = [
  [/^\x1f\x8b/, unpackGzip],
  // A frame, or one that readers skip, as parallel writers put before theirs.
  [/^(\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/, unpackZstd],
];

/** What is not read, and what to do with it. No text in UTF-8 begins like these, but for the last one. */
const OTHERS: readonly (readonly [RegExp, string, string])[] = [
  [/^\xfd7zXZ\0/, 'xz', 'unpack it (xz -d), or pack it with gzip or zstd'],
  [
    /^BZh[1-9](\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)/,
    'bzip2',
    'unpack it (bzip2 -d), or pack it with gzip or zstd',
  ],
  [/^\x04\x22\x4d\x18/, 'LZ4', 'unpack it (lz4 -d), or pack it with gzip or zstd'],
  [/^7z\xbc\xaf\x27\x1c/, '7z', 'unpack it and name the files in it'],
  [/^PK(\x03\x04|\x05\x06)/, 'zip', 'unpack it and name the files in it'],
  [/^[^]{257}ustar/, 'tar', 'unpack it (tar -xf) and name the files in it'],
];

/** What is read as a file of its own, and not from inside of another compression. */
const INSIDE: typeof OTHERS = [
  [
    /^(PAR1|ARROW1|\xff\xff\xff\xff)/,
    'Parquet or Arrow in another compression',
    'unpack it: it has a compression of its own',
  ],
  ...CODECS.map(([magic]) => [magic, 'something compressed twice', 'unpack it once'] as const),
];

/** How a file is unpacked; undefined where it is not compressed. @param start its first bytes. */
export function codecOf(start: Uint8Array): Unpack | undefined {
  const text = Buffer.from(start).toString('latin1');
  return CODECS.find(([magic]) => magic.test(text))?.[1];
}

/** @throws DATASET_COMPRESSED where the first bytes are those of a compression or an archive that is not read. */
export function refuseArchive(start: Uint8Array, path: string): void {
  refuse(start, path, OTHERS);
}

/** @throws DATASET_COMPRESSED where the first bytes of a file's unpacked content are not those of text. */
export function refuseContent(start: Uint8Array, path: string): void {
  refuse(start, path, [...OTHERS, ...INSIDE]);
}

function refuse(start: Uint8Array, path: string, kinds: typeof OTHERS): void {
  const text = Buffer.from(start).toString('latin1');
  const [, name, hint] = kinds.find(([magic]) => magic.test(text)) ?? [];
  if (name === undefined || hint === undefined) return;
  complain({
    code: 'DATASET_COMPRESSED',
    owner: `dataset ${path}`,
    expected: 'text records, plain or in gzip or zstd',
    got: name,
    hint,
  });
}
