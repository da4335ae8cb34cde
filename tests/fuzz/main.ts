/** @file `npm run fuzz -- --cases 100000 --seed 1`: every reader, or `--target NAME`, and one case again with `--only INDEX`. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { campaign, LIMITS, type Result } from './campaign.js';
import { TARGETS } from './targets/index.js';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'string' },
    seconds: { type: 'string', default: String(LIMITS.seconds) },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const chosen = TARGETS.filter(
  ({ name }) => values.target === undefined || values.target.split(',').includes(name),
);
if (chosen.length === 0)
  throw new Error(`no such target; there are ${TARGETS.map(({ name }) => name).join(', ')}`);
const shares = chosen.reduce((sum, { weight }) => sum + weight, 0);
if (values.keep !== undefined) mkdirSync(values.keep, { recursive: true });

const results: Result[] = [];
for (const { name, weight } of chosen) {
  const from = Number(values.only ?? 0);
  const to = values.only === undefined ? Math.ceil((Number(values.cases) * weight) / shares) : from + 1;
  const keep = values.keep === undefined ? {} : { keep: resolve(values.keep) };
  const result = await campaign(
    { target: name, seed, from, to, ...keep },
    { ...LIMITS, seconds: Number(values.seconds) },
  );
  results.push(result);
  if (!values.json) report(result);
}
const failures = results.reduce((sum, result) => sum + result.failures.length, 0);
const cases = results.reduce((sum, result) => sum + result.cases, 0);
if (values.json) console.log(JSON.stringify(results));
else console.log(`${cases} cases, ${failures} failures, seed ${seed}`);
process.exitCode = failures > 0 ? 1 : 0;

function report({ target, cases: count, outcomes, failures: failed, seconds }: Result): void {
  const named = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  console.log(
    `${target.padEnd(12)} ${count} cases in ${seconds} s: ${named.map(([code, n]) => `${code} ${n}`).join(', ')}`,
  );
  for (const { index, what } of failed)
    console.log(
      `  FAILED ${index}: ${what}\n    again: npm run fuzz -- --target ${target} --seed ${seed} --only ${index}`,
    );
}
