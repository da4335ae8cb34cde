/** @file A queue behind TLS: daemons speak to a server that they trust, and to no other. Needs `npm run build`. */
import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRecipe } from '../../recipes/index.js';
import { opensslMissing, selfSigned, type Certificate } from '../helpers/certificates.js';
import { cli, scratch } from '../helpers/cli.js';
import { daemon, is, until } from '../helpers/daemon.js';
import { RedisServer, withoutTls } from '../helpers/redis.js';

const { path } = scratch();
const missing = opensslMissing || withoutTls;
let own: Certificate;
let server: RedisServer;
beforeEach(async () => {
  if (missing) return;
  own = selfSigned('redis');
  server = await RedisServer.start(false, own);
});
afterEach(async () => {
  if (!missing) await server.remove();
});

const args = (queue: string): string[] => ['--queue', queue, '--store', `file://${path('store')}`];

describe.skipIf(missing)('a queue at rediss://', () => {
  it('is shared by daemons that are told its authority', { timeout: 120_000 }, async () => {
    await mkdir(path('good'));
    const env = { NODE_EXTRA_CA_CERTS: own.cert };
    const running = await daemon(path('good'), { args: args(server.url), env });
    try {
      const recipe = await loadRecipe('tiny', { set: ['steps=1000000'] });
      const run = await running.client.submit({ recipe });
      await until(running, run, is('running'));
      await running.client.command(run.id, 'cancel');
      await until(running, run, is('cancelled'));
      expect(await running.client.workers()).toMatchObject([{ here: true }]);
      running.child.kill('SIGTERM');
      const { code, stderr } = await running.ended;
      expect(code).toBe(0);
      expect(stderr).toContain(`"queue":"${server.url}"`);
      expect(stderr).not.toMatch(/DEP0\d+|"trouble/);
    } finally {
      running.child.kill('SIGKILL');
      await running.ended;
    }
  });

  it.each([
    ['is not told of it', 'nobody', /self.signed certificate/i],
    ['speaks no TLS', 'plain', /expected a Redis or Valkey server that answers/],
    ['finds a certificate for another name', 'elsewhere', /does not match certificate's altnames/],
  ])('refuses a daemon that %s', { timeout: 60_000 }, async (_, what, reason) => {
    const elsewhere = what === 'elsewhere' ? selfSigned('redis', 'DNS:elsewhere,IP:127.0.0.9') : undefined;
    const asked = elsewhere ? await RedisServer.start(false, elsewhere) : server;
    const env = what === 'nobody' ? {} : { NODE_EXTRA_CA_CERTS: (elsewhere ?? own).cert };
    const queue = what === 'plain' ? asked.url.replace('rediss', 'redis') : asked.url;
    const { code, stderr } = await cli(
      ['daemon', '--state', path('bad'), '--port', '0', ...args(queue)],
      env,
    );
    if (elsewhere) await asked.remove();
    expect(stderr).toContain('FLEET_REDIS');
    expect(stderr).toMatch(reason);
    expect(code).toBe(5);
  });
});
