/** @file `npm run crash -- --kills 200 --seed 1`: the long campaign. Leaves its directory where something is wrong. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { campaign } from './campaign.js';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const directory = mkdtempSync(join(tmpdir(), 'latstream-crash-'));
const result = await campaign({
  kills: Number(values.kills),
  seed: Number(values.seed),
  directory,
  say: (text) => console.error(text),
});
const wrong = [...result.lost, ...result.torn, ...result.different, ...result.errors];
console.log(JSON.stringify(result, null, 2));
if (wrong.length > 0) {
  console.error(`see ${directory}`);
  process.exitCode = 1;
} else rmSync(directory, { recursive: true });
