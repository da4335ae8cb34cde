/** @file Addresses of queues, and that their passwords are not said aloud. */
import { describe, expect, it } from 'vitest';
import { redisAddress } from '../../fleet/address.js';

describe('the address of a queue', () => {
  it('says host, port, database, user, password and TLS', () => {
    expect(redisAddress('redis://h')).toEqual({
      options: { host: 'h', port: 6379, db: 0 },
      shown: 'redis://h:6379/0',
    });
    expect(redisAddress('rediss://me:p%40w@h:1/2')).toEqual({
      options: { host: 'h', port: 1, db: 2, username: 'me', password: 'p@w', tls: { servername: 'h' } },
      shown: 'rediss://h:1/2',
    });
    expect(redisAddress('rediss://127.0.0.1').options).toMatchObject({ host: '127.0.0.1', tls: {} });
    expect(redisAddress('redis://[::1]:7', 'w').options).toMatchObject({
      host: '::1',
      port: 7,
      password: 'w',
    });
  });

  it.each([
    'http://:secret@h',
    'redis://:secret@',
    'redis://:secret@h/x',
    'secret',
    'redis://:secret@h/0?x=1',
  ])('refuses %s and repeats no password', (text) => {
    const refused = (() => {
      try {
        return redisAddress(text);
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toMatchObject({ code: 'FLEET_QUEUE_ADDRESS' });
    expect(String(refused)).not.toContain('secret');
  });
});
