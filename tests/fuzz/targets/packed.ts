/** @file Records in gzip and zstd, of one piece and of several. */
import fc from 'fast-check';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { COMPRESSED, LINES, stored } from '../../helpers/zstd.js';
import { byteMutation } from '../bytes.js';
import type { Mutation, Target } from '../target.js';
import { readSource } from './rows.js';

const FILE = 'x.jsonl.gz';

const whole: Mutation = (bytes) => bytes;
const twice: Mutation = (bytes) => Buffer.concat([bytes, bytes]);

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
  // Checksums leave hardly any damage unseen: some cases are whole, or in two copies.
  mutations: () => fc.oneof(byteMutation, fc.constant(whole), fc.constant(twice)),
  run(folder) {
    process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
    return readSource(folder, FILE);
  },
};
