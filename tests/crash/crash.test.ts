/** @file A short campaign of kills; `npm run crash` is the long one. Needs `npm run build`, as `npm test` does. */
import { mkdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { scratch } from '../helpers/cli.js';
import { campaign } from './campaign.js';

const { path } = scratch();

it(
  'no kill loses a run, tears a checkpoint, or shows in what a run ends with',
  { timeout: 600_000 },
  async () => {
    const directory = path('crash');
    await mkdir(directory);
    const result = await campaign({
      ...{ kills: 5, seed: 4, kinds: ['saving'], directory },
      say: () => undefined,
    });
    expect(result).toMatchObject({ lost: [], torn: [], different: [], errors: [] });
    expect(result.runs).toBeGreaterThanOrEqual(3);
  },
);
