/** @file What daemons take of a queue's news for an address: whatever they do, nothing is lost, and nothing comes back that was received. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redisAddress } from '../../fleet/address.js';
import { newsAbout } from '../../fleet/happened.js';
import { KEYS } from '../../fleet/keys.js';
import { groupOf, Mail, type FleetLetter } from '../../fleet/mail.js';
import { openConnection, type Connection } from '../../fleet/redis.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';
import { newRun } from './helpers.js';

let server: RedisServer;
let redis: Connection;
let plain: Redis;
beforeAll(async () => {
  if (withoutRedis) return;
  server = await RedisServer.start();
  redis = await openConnection(redisAddress(server.url));
  plain = new Redis(server.url);
});
beforeEach(async () => {
  if (!withoutRedis) await plain.flushdb();
});
afterAll(async () => {
  if (withoutRedis) return;
  redis.disconnect();
  plain.disconnect();
  await server.remove();
});

const mailWith = (lease: number): Mail => new Mail({ redis, shown: 'here', log: () => undefined, lease });

const news = (about = 'a'): string =>
  JSON.stringify(newsAbout({ event: 'finished', run: newRun(about), now: Date.now() }));
const told = (text = news()): Promise<unknown> => plain.xadd(KEYS.news, '*', 'n', text);

describe.skipIf(withoutRedis)('news for an address', () => {
  it('begins when a daemon has it first, and is forgotten when none has had it for days', async () => {
    const mail = mailWith(60_000);
    const [one, two] = [{ url: 'http://127.0.0.1:1/' }, { url: 'http://127.0.0.1:2/' }];
    await told();
    expect(await mail.take(one)).toBeUndefined();
    await told(news('b'));
    expect(await mail.take(two)).toBeUndefined();
    expect((await mail.take(one))?.body).toContain('"id":"b"');
    expect(await mail.take(one)).toBeUndefined();
    await plain.hset(KEYS.hooks, groupOf(two.url), Date.now() - 2 * 86_400_000, groupOf(one.url), 0);
    expect(await mail.take(two)).toBeUndefined();
    expect(await plain.hkeys(KEYS.hooks)).toEqual([groupOf(two.url)]);
    expect(await plain.xinfo('GROUPS', KEYS.news)).toHaveLength(1);
  });

  it(
    'is not lost, and does not come again once it was received, whatever daemons do',
    { timeout: 60_000 },
    async () => {
      const hook = { url: 'http://127.0.0.1:1/' };
      const act = fc.tuple(
        fc.nat({ max: 2 }),
        fc.constantFrom('tell', 'take', 'receive', 'fail', 'die', 'trim'),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
          await plain.flushdb();
          const mail = mailWith(0); // so that what is taken can be taken by others at once
          expect(await mail.take(hook)).toBeUndefined();
          const waiting = new Set<string>();
          const had: (FleetLetter | undefined)[] = [];
          const take = async (): Promise<FleetLetter | undefined> => {
            const letter = await mail.take(hook);
            if (letter) expect(waiting.has(letter.entry), 'what is taken waits').toBe(true);
            if (!letter) expect([...waiting], 'nothing waits where nothing is taken').toEqual([]);
            return letter;
          };
          for (const [daemon, what] of acts) {
            const letter = had[daemon];
            if (what === 'tell') waiting.add(String(await told()));
            else if (what === 'take') had[daemon] = await take();
            else if (what === 'die') had[daemon] = undefined;
            else if (letter && what === 'receive') {
              await mail.remove(letter);
              waiting.delete(letter.entry);
            } else if (letter && what === 'fail') await mail.retry(letter, 0);
            else if (what === 'trim') {
              const [oldest] = waiting;
              if (oldest !== undefined) await plain.xdel(KEYS.news, oldest);
              if (oldest !== undefined) waiting.delete(oldest);
            }
          }
          for (let left = waiting.size; left > 0; left--) {
            const letter = (await take())!;
            await mail.remove(letter);
            waiting.delete(letter.entry);
          }
          expect(await mail.take(hook)).toBeUndefined();
        }),
        { numRuns: 60 },
      );
    },
  );

  it('is not given back by who comes too late where somebody else has it by now', async () => {
    const hook = { url: 'http://127.0.0.1:1/' };
    const [quick, slow] = [mailWith(0), mailWith(60_000)];
    await quick.take(hook);
    await told();
    const lost = (await quick.take(hook))!;
    const taken = (await slow.take(hook))!;
    expect(taken).toMatchObject({ entry: lost.entry, attempts: 1, id: lost.id, body: lost.body });
    await quick.retry(lost, 0);
    expect(await quick.take(hook)).toBeUndefined();
    await slow.retry(taken, 0);
    expect(await quick.take(hook)).toMatchObject({ entry: lost.entry, attempts: 2 });
  });
});
