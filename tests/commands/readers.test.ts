/** @file Readers that leave before all is printed: no crash, and no training lost. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scratch, set, start, type Ended } from '../helpers/cli.js';

const { path } = scratch();

/** Nobody reads what it prints. */
function unread(args: readonly string[]): Promise<Ended> {
  const { child, ended } = start(args);
  child.stdout?.destroy();
  return ended;
}

describe('a command whose reader leaves', () => {
  it('ends quietly where it only prints', async () => {
    expect(await unread(['--help'])).toMatchObject({ code: 0, stderr: '' });
    expect(await unread(['train', '--help'])).toMatchObject({ code: 0, stderr: '' });
    const looking = ['data', 'inspect', 'organism/data/harmful.parquet', '--limit', '8'];
    expect(await unread(looking)).toMatchObject({ code: 0, stderr: '' });
  });

  it('goes on where it trains', { timeout: 60_000 }, async () => {
    const out = path('run');
    const short = set('steps=1', 'arms={"lat":{}}');
    const trained = await unread(['train', 'tiny', '--port', '0', '--out', out, ...short]);
    expect(trained).toMatchObject({ code: 0 });
    expect(existsSync(`${out}/summary.json`)).toBe(true);
  });
});
