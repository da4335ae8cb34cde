/** @file The scripts in Redis under everything that workers may do to them, in any order. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../daemon/config.js';
import { LatstreamError } from '../../foundation/index.js';
import type { Recipe } from '../../recipes/index.js';
import { redisAddress } from '../../fleet/address.js';
import { ending, taking } from '../../fleet/changes.js';
import { newsAbout } from '../../fleet/happened.js';
import { KEYS } from '../../fleet/keys.js';
import { Ledger } from '../../fleet/ledger.js';
import { openConnection, type Connection } from '../../fleet/redis.js';
import type { Taken } from '../../fleet/run.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';
import { newRun } from './helpers.js';

let server: RedisServer;
let redis: Connection;
let plain: Redis;
let ledger: Ledger;
beforeAll(async () => {
  if (withoutRedis) return;
  server = await RedisServer.start();
  redis = await openConnection(redisAddress(server.url));
  plain = new Redis(server.url);
  ledger = new Ledger(redis, 'here');
});
afterAll(async () => {
  if (withoutRedis) return;
  redis.disconnect();
  plain.disconnect();
  await server.remove();
});

const RECIPE = { name: 'x' } as unknown as Recipe;
const submitted = (key?: string) => ({ name: 'x', priority: 0, recipe: RECIPE, ...(key && { key }) });
const live = { page: null, pid: null, progress: null };

/** A worker takes the run, or writes something with the lease that it had last. */
type Move = readonly [worker: number, 'take' | 'commit' | 'metrics' | 'threshold' | 'finish' | 'die'];
const move: fc.Arbitrary<Move> = fc.tuple(
  fc.nat({ max: 2 }),
  fc.constantFrom('take', 'commit', 'metrics', 'threshold', 'finish', 'die'),
);

/** Does one move. @returns the epoch of a write that was accepted */
async function done(
  id: string,
  [worker, what]: Move,
  leases: (Taken | undefined)[],
): Promise<number | undefined> {
  const node = `n${worker}`;
  if (what === 'take') {
    const taken = await ledger.take(id, node, ({ run }) =>
      taking(
        run,
        { node, worker: node, directory: '/x', job: run.job ?? '' },
        { ...DEFAULTS, attempts: 1000 },
        0,
      ),
    );
    leases[worker] = taken ?? leases[worker];
    return undefined;
  }
  const lease = leases[worker];
  if (!lease) return undefined;
  const { epoch } = lease;
  if (what === 'commit') await ledger.commit(lease, node, { files: {} });
  else if (what === 'threshold')
    await ledger.tell(lease, node, `${epoch}`, newsAbout({ event: what, run: lease.run, now: 0 }));
  else if (what === 'metrics') await ledger.report(lease, node, live, `${epoch}.0`, ['{}']);
  else {
    const end = what === 'finish' ? ({ kind: what } as const) : ({ kind: what, reason: 'x' } as const);
    await ledger.update(id, { node, epoch }, ({ run }) =>
      ending(run, end, 'another', { ...DEFAULTS, attempts: 1000, retrySeconds: 0 }, 0),
    );
  }
  return epoch;
}

describe.skipIf(withoutRedis)('a ledger', () => {
  it(
    'accepts writes of the newest epoch alone, so of never an older one than before, and one completion',
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(move, { maxLength: 25 }), async (moves) => {
          await plain.flushdb();
          const { run } = await ledger.submit(newRun('r'), submitted());
          const leases: (Taken | undefined)[] = [undefined, undefined, undefined];
          const accepted: number[] = [];
          let refusals = 0;
          for (const each of moves) {
            const newest = (await ledger.find(run.id)).epoch;
            const lease = leases[each[0]];
            try {
              const epoch = await done(run.id, each, leases);
              if (epoch !== undefined) expect(epoch, 'what was accepted has the newest epoch').toBe(newest);
              if (epoch !== undefined) accepted.push(epoch);
            } catch (error) {
              if (!(error instanceof LatstreamError)) throw error;
              const { code } = error;
              if (code === 'FLEET_LEASE_LOST') refusals += 1;
              // What is over, or waits, is refused to the newest, too.
              else expect(code).toBe('DAEMON_RUN_STATE');
              if (code === 'FLEET_LEASE_LOST') expect(lease!.epoch).toBeLessThan(newest);
            }
          }
          expect(accepted).toEqual([...accepted].sort((a, b) => a - b));
          expect(await plain.xlen(KEYS.completions)).toBe(
            (await ledger.find(run.id)).run.state === 'done' ? 1 : 0,
          );
          expect(await plain.xlen(KEYS.refused)).toBe(refusals);
          const news = (await plain.xrange(KEYS.news, '-', '+')).map(([, [, text]]) => String(text));
          const crossed = news.filter((text) => text.includes('"event":"threshold"'));
          expect(crossed, 'each is told of once').toHaveLength(await plain.scard(KEYS.told('r')));
        }),
        { numRuns: 60 },
      );
    },
  );

  it('gives the run that was submitted with a key before, and refuses another with it', async () => {
    await plain.flushdb();
    const first = await ledger.submit(newRun('a'), submitted('k'));
    expect((await ledger.submit(newRun('b'), submitted('k'))).run.id).toBe(first.run.id);
    expect(await ledger.all()).toHaveLength(1);
    const other = { ...submitted('k'), recipe: { name: 'y' } as unknown as Recipe };
    await expect(ledger.submit(newRun('c'), other)).rejects.toMatchObject({ code: 'DAEMON_RUN_KEY' });
  });

  it('makes a write once that is asked for twice, as after an answer that was lost', async () => {
    await plain.flushdb();
    await ledger.submit(newRun('a'), submitted());
    const taken = (await ledger.take('a', 'n', ({ run }) =>
      taking(run, { node: 'n', worker: 'n', directory: '/x', job: run.job ?? '' }, DEFAULTS, 0),
    ))!;
    const finish = () =>
      ledger.update('a', { node: 'n', epoch: taken.epoch, write: 'w' }, ({ run }) =>
        ending(run, { kind: 'finish' }, 'j', DEFAULTS, 0),
      );
    await finish();
    expect((await finish()).run.state).toBe('done');
    expect(await plain.xlen(KEYS.completions)).toBe(1);
  });

  it('lets changes of many at a time all happen', async () => {
    await plain.flushdb();
    await ledger.submit(newRun('a'), submitted());
    await Promise.all(
      Array.from({ length: 10 }, () =>
        ledger.update('a', { node: 'n' }, ({ run }) => ({ run: { ...run, priority: run.priority + 1 } })),
      ),
    );
    expect((await ledger.find('a')).run.priority).toBe(10);
  });
});
