/** @file Connections to Redis, and its troubles in words. */
import { Redis, type ChainableCommander, type RedisOptions } from 'ioredis';
import { complain, LatstreamError } from '../foundation/index.js';
import type { RedisAddress } from './address.js';
import { SCRIPTS } from './scripts.js';

type Scripts = Readonly<Record<keyof typeof SCRIPTS, Script>>;
type Script = (keys: number, ...rest: readonly (string | number)[]) => Promise<unknown>;

/** A connection with our scripts. */
export type Connection = Redis & Scripts;

const LONGEST_COMMAND_MILLISECONDS = 5000;
const LONGEST_RETRY_MILLISECONDS = 1000;

type Options = Pick<RedisOptions, 'connectionName' | 'retryStrategy'> & RedisAddress['options'];

/** What every connection has. @param name for CLIENT LIST */
export function connectionOptions({ options }: RedisAddress, name: string): Options {
  return {
    ...options,
    connectionName: name,
    retryStrategy: (times) => Math.min(LONGEST_RETRY_MILLISECONDS, 50 * 2 ** Math.min(times, 10)),
  };
}

/** Commands of it fail rather than wait for long. @throws FLEET_REDIS where nothing answers */
export async function openConnection(address: RedisAddress): Promise<Connection> {
  const connection = new Redis({
    ...connectionOptions(address, 'latstream'),
    maxRetriesPerRequest: 1,
    commandTimeout: LONGEST_COMMAND_MILLISECONDS,
    lazyConnect: true,
    scripts: Object.fromEntries(Object.entries(SCRIPTS).map(([name, lua]) => [name, { lua }])),
  }) as Connection;
  let last: Error | undefined;
  connection.on('error', (error: Error) => (last = error)); // or it would end the process; commands say it, too
  try {
    await connection.connect();
    // On its way in, a client only reports that there is no such database, and stays in the first.
    await connection.select(address.options.db ?? 0);
    return connection;
  } catch (error) {
    connection.disconnect();
    return redisError(address.shown, last ?? error);
  }
}

/** @throws FLEET_REDIS for what is no complaint of ours */
export function redisError(shown: string, error: unknown): never {
  if (error instanceof LatstreamError) throw error;
  return complain(
    {
      code: 'FLEET_REDIS',
      owner: `queue ${shown}`,
      expected: 'a Redis or Valkey server that answers',
      got: error instanceof Error ? error.message : String(error),
      hint: 'look at the address, the password and the server; what was asked for may be asked again',
    },
    { cause: error },
  );
}

/** The replies of a pipeline. @throws what a command of it threw */
export async function replies(commands: ChainableCommander): Promise<unknown[]> {
  const found = (await commands.exec()) ?? [];
  return found.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
