/** @file Short forms of `npm run fan-out` and `npm run soak`, of which no figure is judged. Need `npm run build`, as `npm test` does. */
import { mkdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { scratch } from '../helpers/cli.js';
import { wrongIn } from './describe.js';
import { fanOut } from './fan-out.js';
import { ACTS } from './hostile.js';
import { SMALL, soak } from './soak.js';

const { path } = scratch();
const say = (): void => undefined;

it(
  'viewers of a run end with the right values beside some that stall and some that mean no good, who are refused; little waits for them',
  { timeout: 600_000 },
  async () => {
    const directory = path('fan-out');
    await mkdir(directory);
    const crowd = { honest: 60, stalled: 6, hostile: Object.keys(ACTS).length };
    const options = { ...crowd, drop: false, processes: 1, steps: 60, set: SMALL, directory, say };
    const result = await fanOut(options);
    expect(wrongIn(result, options)).toEqual([]);
    const refused = Object.values(result.crowd.hostile).map((outcomes) => outcomes.refused ?? 0);
    expect(refused.filter((count) => count > 0).length).toBeGreaterThan(0);
    expect(result.waiting).toBeLessThan((crowd.honest + crowd.stalled + crowd.hostile) * (256 << 10));
  },
);

it(
  'visitors that come and go see everything in order, and leave nothing open',
  { timeout: 600_000 },
  async () => {
    const directory = path('soak');
    await mkdir(directory);
    const visitors = { watchers: 6, readers: 1 };
    const result = await soak({
      ...{ steps: 300, seed: 5, ...visitors, directory, say },
      sampleMilliseconds: 200,
    });
    expect(result).toMatchObject({ state: 'done', errors: [], visits: { disordered: 0, failures: [] } });
    expect(result.visits.metrics).toBeGreaterThan(0);
    const programs = result.trends['training: programs'];
    expect(programs).toMatchObject({ isFlat: true, slope: 0 });
    expect(programs?.level).toBeGreaterThan(0);
    const descriptors = result.samples.map(({ serving }) => serving.descriptors);
    // Each visitor has a connection at most, the readers two, and each may have one that is about to close.
    const most = 2 * (visitors.watchers + 2 * visitors.readers);
    expect(Math.max(...descriptors) - (descriptors[0] ?? 0)).toBeLessThanOrEqual(most);
  },
);
