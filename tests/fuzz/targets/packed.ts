/** @file Records in gzip and zstd, of one piece and of several. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { COMPRESSED, LINES, stored } from '../../helpers/zstd.js';
import { byteMutation } from '../bytes.js';
import type { Target } from '../target.js';
import { readSource } from './rows.js';

const FILE = 'x.jsonl.gz';

export const packed: Target = {
  name: 'packed',
  weight: 2,
  async seeds() {
    const content = Buffer.from(LINES);
    const [half, rest] = [content.subarray(0, 700), content.subarray(700)];
    return [
      gzipSync(content),
      Buffer.concat([gzipSync(half), gzipSync(rest)]),
      ...COMPRESSED,
      Buffer.concat([stored(half, 100), stored(rest)]),
    ].map((bytes) => ({ [FILE]: bytes }));
  },
  mutations: () => byteMutation,
  run(folder) {
    process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
    return readSource(folder, FILE);
  },
};
