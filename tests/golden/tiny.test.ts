/**
 * @file The golden curve of the `tiny` recipe: `step attack defend`, one line a step. A change of the mathematics
 * shows here; update it with `UPDATE_GOLDEN=1` and say in the commit why it moved.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { metricsIn } from '../../monitor/index.js';
import { cli, scratch } from '../helpers/cli.js';

const GOLDEN = join(import.meta.dirname, 'tiny.cpu.txt');
/** Other processors round differently; the same one does not. */
const TOLERANCE = 1e-5;
const { path } = scratch();

/** Losses of the arm `lat`, by step. */
async function curve(out: string): Promise<number[][]> {
  const losses = new Map<number, number[]>();
  for await (const { run, step, kind, values } of metricsIn(join(out, 'metrics.ndjson')))
    if (run === 'tiny/lat' && (kind === 'attack' || kind === 'defend'))
      losses.set(step, [...(losses.get(step) ?? [step]), values['loss'] ?? NaN]);
  return [...losses.values()];
}

it('trains along the golden curve', async () => {
  const out = path('golden');
  const { code, stderr } = await cli(['train', 'tiny', '--out', out, '--port', '0']);
  expect(code, stderr).toBe(0);
  const got = await curve(out);
  if (process.env['UPDATE_GOLDEN'])
    await writeFile(GOLDEN, `${got.map((line) => line.join(' ')).join('\n')}\n`);
  const golden = (await readFile(GOLDEN, 'utf8')).trim().split('\n').map((line) => line.split(' ').map(Number)); // prettier-ignore
  expect(got.length).toBe(golden.length);
  got.forEach((line, at) =>
    line.forEach((value, column) => {
      const expected = golden[at]?.[column] ?? NaN;
      expect(Math.abs(value - expected), `step ${at + 1}`).toBeLessThanOrEqual(TOLERANCE * Math.abs(expected));
    }),
  );
});
