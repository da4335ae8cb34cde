/** @file Disks that are read-only: what a daemon says when it begins, and what becomes of a run. Needs `npm run build`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launch } from '../../commands/run/launch.js';
import { loadRecipe } from '../../recipes/index.js';
import { cli, scratch } from '../helpers/cli.js';
import { mountEmpty, mountsMissing, unmount } from '../helpers/mounts.js';

const { path } = scratch();
const listener = { metric: () => undefined, note: () => undefined, changed: () => undefined };

/** How a run ends that gets this directory. */
const ended = async (directory: string): Promise<unknown> =>
  launch({ id: 'x', recipe: await loadRecipe('tiny'), directory, settings: {} }, listener).ended;

describe('a directory of runs on a read-only disk', () => {
  it.skipIf(mountsMissing)(
    'keeps a daemon from beginning, and is tried again by runs of one that goes on',
    async () => {
      const [runs, state] = [path('runs'), path('state')];
      await Promise.all([mkdir(runs), mkdir(state)]);
      mountEmpty(runs, 'ro');
      try {
        for (const args of [
          ['--state', state, '--runs', runs],
          ['--state', join(runs, 'state'), '--runs', state],
        ]) {
          const daemon = await cli(['daemon', ...args, '--port', '0']);
          expect(daemon.code).toBe(5);
          expect(daemon.stderr).toContain('OUT_NOT_WRITABLE');
        }
        expect(await ended(join(runs, 'tiny-1'))).toMatchObject({
          kind: 'die',
          reason: expect.stringContaining('OUT_NOT_WRITABLE') as string,
        });
      } finally {
        unmount(runs);
      }
    },
  );

  it('fails a run for good where it is no directory', async () => {
    await writeFile(path('file'), '');
    expect(await ended(path('file/tiny-1'))).toMatchObject({ kind: 'fail' });
  });
});
