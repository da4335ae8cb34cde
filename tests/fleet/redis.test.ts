/** @file Connections to a Redis that is there, that is not, and that has less than was asked for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisAddress } from '../../fleet/address.js';
import { openConnection } from '../../fleet/redis.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';

let server: RedisServer;
beforeAll(async () => {
  if (!withoutRedis) server = await RedisServer.start();
});
afterAll(async () => {
  if (!withoutRedis) await server.remove();
});

const open = (database: string) => openConnection(redisAddress(new URL(`/${database}`, server.url).href));

describe.skipIf(withoutRedis)('a connection', () => {
  it('is to the database that was named', async () => {
    const [first, second] = [await open('0'), await open('2')];
    await second.set('x', '1');
    expect([await first.get('x'), await second.get('x')]).toEqual([null, '1']);
    first.disconnect();
    second.disconnect();
  });

  it('to a database that the server does not have is none, and not one to its first', async () => {
    await expect(open('99')).rejects.toMatchObject({
      code: 'FLEET_REDIS',
      complaint: { got: expect.stringContaining('DB index') as unknown },
    });
  });
});
