/** @file How commands find their daemon, however its address is written. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf } from '../../commands/daemon-client.js';
import { readAddress } from '../../daemon/address.js';
import { startDaemon, type Daemon } from '../../daemon/daemon.js';
import { scratch } from '../helpers/cli.js';

const { path } = scratch();
let daemon: Daemon;
let state: string;
beforeAll(async () => {
  state = path('state');
  mkdirSync(state);
  daemon = await startDaemon({
    ...{ state, runs: state, host: '127.0.0.1', port: 0, allowedHosts: [], parallel: 1, version: '0' },
    token: undefined,
    version: '0',
    launch: () => expect.unreachable(),
    log: () => undefined,
  });
});
afterAll(() => daemon.close());

describe('a command', () => {
  it('gives the token of the state to its daemon, however this machine is named', async () => {
    const { url } = (await readAddress(state))!;
    for (const name of [undefined, url, `${url}/`, url.replace('127.0.0.1', 'localhost')]) {
      const client = await clientOf({ state, ...(name !== undefined && { daemon: name }) });
      expect(await client.runs(), name).toEqual([]);
    }
  });

  it('finds a daemon behind a path, and gives it no token of another address', async () => {
    const { url, token } = (await readAddress(state))!;
    const asked: [string | undefined, string | undefined][] = [];
    const proxy = createServer((incoming, outgoing) => {
      asked.push([incoming.url, incoming.headers.authorization]);
      const path = (incoming.url ?? '').replace(/^\/trainer/, '');
      const headers = { ...incoming.headers, host: new URL(url).host, authorization: `Bearer ${token}` };
      request(new URL(path, url), { headers }, (reply) => {
        outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(outgoing);
      }).end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = proxy.address() as AddressInfo;
      for (const end of ['', '/']) {
        const client = await clientOf({ state, daemon: `http://127.0.0.1:${port}/trainer${end}` });
        expect(await client.runs()).toEqual([]);
      }
      expect(asked).toEqual(Array(2).fill(['/trainer/runs', 'Bearer']));
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });

  it.each(['nonsense', 'ftp://127.0.0.1:7078', 'http://', ''])(
    'refuses what is no address: %j',
    async (name) => {
      await expect(clientOf({ state, daemon: name })).rejects.toMatchObject({ code: 'DAEMON_ADDRESS' });
    },
  );
});
