/** @file A short campaign over every reader; `npm run fuzz` is the long one. Needs `npm run build`, as `npm test` does. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Result } from './campaign.js';

it('no damaged file makes a reader crash, hang, grow or return what cannot be', () => {
  const main = join(process.cwd(), 'dist', 'tests', 'fuzz', 'main.js');
  const args = [main, '--cases', '700', '--seed', '1', '--json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const results = JSON.parse(stdout) as Result[];
  expect(
    results.flatMap(({ target, failures }) => failures.map((failure) => ({ target, ...failure }))),
  ).toEqual([]);
  expect(results.reduce((sum, { cases }) => sum + cases, 0)).toBeGreaterThanOrEqual(700);
  // Neither are all files refused, nor is any reader too lenient to notice.
  for (const { target, outcomes } of results)
    expect({ target, kinds: Object.keys(outcomes).length, read: outcomes['value'] ?? 0 }).toMatchObject({
      kinds: expect.toSatisfy((kinds: number) => kinds >= 2) as number,
      read: expect.toSatisfy((read: number) => read > 0) as number,
    });
});
