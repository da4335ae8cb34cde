/** @file Directories that killed workers left go, and never anything else. */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEYS } from '../../fleet/keys.js';
import { removeLeftDirectories } from '../../fleet/leftovers.js';
import type { Kept } from '../../fleet/run.js';
import { RECIPE } from '../daemon/helpers.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';
import { eventually, newRun, Node } from './helpers.js';

let root = '';
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'latstream-left-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

const ID = '0123abcd';
const kept = (id: string, name: string, epoch: number, directory = '/x'): Kept => ({
  ...{ run: { ...newRun(id), name, directory }, version: 1, epoch, live: null },
});

async function holding(names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(root, 'runs-'));
  for (const name of names) {
    await mkdir(join(folder, name, 'lat'), { recursive: true });
    await writeFile(join(folder, name, 'lat/weights'), 'weights');
  }
  return folder;
}

describe('directories that were left', () => {
  it('go where somebody else has taken the run since, and nothing else does', async () => {
    const left = [`a-b-${ID}-1`, `a-b-${ID}-2`, `a-b-${ID}-2.publishing`];
    const stay = [
      ...[
        `a-b-${ID}-3`,
        `a-b-${ID}-3.publishing`,
        `a-b-${ID}-4`,
        `a-b-${ID}-01`,
        `a-b-${ID}-0`,
        `a-b-${ID}-2.old`,
      ],
      ...[
        `a-b-${ID}`,
        `b-${ID}-1`,
        `a-b-${ID.toUpperCase()}-1`,
        `a-b-${ID}--1`,
        `a-b-89abcdef-1`,
        'precious',
      ],
      ...[`mine-aaaaaaaa-1`, `done-bbbbbbbb-1`],
    ];
    const folder = await holding([...left, ...stay]);
    await writeFile(join(folder, `a-b-${ID}-1x`), 'a file');
    await mkdir(join(root, 'elsewhere'));
    await writeFile(join(root, 'elsewhere/precious'), 'precious');
    await rm(join(folder, left[0]!), { recursive: true });
    await symlink(join(root, 'elsewhere'), join(folder, left[0]!));
    await symlink(join(root, 'elsewhere'), join(folder, left[1]!, 'link'));
    const all = [
      kept(ID, 'a-b', 3),
      kept('aaaaaaaa', 'mine', 2),
      kept('bbbbbbbb', 'done', 2, join(folder, 'done-bbbbbbbb-1')),
    ];
    const removed = await removeLeftDirectories(folder, all, new Set(['aaaaaaaa']));
    expect([...removed].sort()).toEqual(left.slice(1));
    expect((await readdir(folder)).sort()).toEqual([...stay, left[0]!, `a-b-${ID}-1x`].sort());
    expect(await readdir(join(root, 'elsewhere'))).toEqual(['precious']);
  });

  it('are of an older epoch than that of the queue, of a run that is another daemon’s, with its very name', async () => {
    const small = fc.integer({ min: 1, max: 4 });
    const name = fc.constantFrom('a', 'a-1', `a-${ID}`, `a-${ID}-1`);
    const place = fc.record({ name, id: fc.constantFrom(ID, 'ffffffff'), epoch: small });
    await fc.assert(
      fc.asyncProperty(fc.array(place), name, small, fc.boolean(), async (places, own, epoch, mine) => {
        const nameOf = (each: (typeof places)[number]) => `${each.name}-${each.id}-${each.epoch}`;
        const folder = await holding(places.map(nameOf));
        await removeLeftDirectories(folder, [kept(ID, own, epoch)], new Set(mine ? [ID] : []));
        const stay = places.filter((each) => {
          const isOurs = new RegExp(`^${own}-${ID}-(\\d+)$`).exec(nameOf(each));
          return mine || !isOurs || Number(isOurs[1]) >= epoch;
        });
        expect((await readdir(folder)).sort()).toEqual([...new Set(stay.map(nameOf))].sort());
        await rm(folder, { recursive: true });
      }),
      { numRuns: 50 },
    );
  });

  it.skipIf(withoutRedis)('go while a daemon runs, but not of what it has', async () => {
    const server = await RedisServer.start();
    const worker = await Node.start(server.url, root, { lockSeconds: 1, parallel: 1 });
    try {
      const { id } = await worker.queue.submit({ name: 'x', recipe: RECIPE, priority: 0 });
      (await eventually(() => worker.alive[0])).end({ kind: 'die', reason: 'x' });
      const again = await eventually(() => worker.started[1]);
      const folder = dirname(again.run.directory);
      const [left, has] = [`x-${id}-1`, `x-${id}-2`];
      expect(basename(again.run.directory)).toBe(has);
      await mkdir(join(folder, left));
      await mkdir(again.run.directory, { recursive: true });
      // What is heard of it anew is said at the beginning of a round: with the second, one is over.
      const redis = new Redis(server.url);
      const { id: node } = (await worker.queue.workers())[0]!;
      for (let round = 0; round < 2; round++) {
        await redis.del(KEYS.worker(node));
        await eventually(async () => ((await redis.exists(KEYS.worker(node))) === 1 ? true : undefined));
      }
      redis.disconnect();
      expect((await readdir(folder)).sort()).toEqual([left, has]);
      again.end({ kind: 'finish' });
      await eventually(async () => ((await readdir(folder)).includes(left) ? undefined : true));
      expect(await readdir(folder)).toEqual([has]);
      expect(worker.said.join()).toContain('left directories removed');
    } finally {
      await worker.stop();
      await server.remove();
    }
  });
});
