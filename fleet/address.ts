/** @file Where a shared queue is, and what may be said of it aloud. */
import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import { complain } from '../foundation/index.js';

export interface RedisAddress {
  readonly options: Pick<RedisOptions, 'host' | 'port' | 'db' | 'username' | 'password' | 'tls'>;
  /** Without credentials. */
  readonly shown: string;
}

/**
 * `redis://[USER[:PASSWORD]@]HOST[:PORT][/DB]`, or `rediss://` for TLS.
 * @param password where the address has none. @throws FLEET_QUEUE_ADDRESS, which does not repeat what may hold a password
 */
export function redisAddress(text: string, password = ''): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : refuse('no address');
  const tls = url.protocol === 'rediss:';
  if (!tls && url.protocol !== 'redis:') refuse(`${url.protocol}//…`);
  const database = url.pathname.replace(/^\//, '');
  if (!/^\d{0,4}$/.test(database)) refuse(`database ${database.slice(0, 40)}`);
  if (url.hostname === '' || url.search !== '' || url.hash !== '') refuse('another form');
  const host = decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  const secret = decodeURIComponent(url.password) || password;
  const port = Number(url.port || 6379);
  return {
    options: {
      ...{ host, port, db: Number(database || 0) },
      ...(url.username && { username: decodeURIComponent(url.username) }),
      ...(secret && { password: secret }),
      // An address is looked for in the certificate, but no name of a server.
      ...(tls && { tls: isIP(host) ? {} : { servername: host } }),
    },
    shown: `${url.protocol}//${url.hostname}:${port}/${database || 0}`,
  };
}

function refuse(got: string): never {
  return complain({
    code: 'FLEET_QUEUE_ADDRESS',
    owner: '--queue',
    expected: 'redis://HOST:PORT[/DB], or rediss:// for TLS',
    got,
    hint: 'a password belongs into LATSTREAM_REDIS_PASSWORD',
  });
}
