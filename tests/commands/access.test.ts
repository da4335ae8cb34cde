/** @file Who reaches a daemon through the command line: HTTPS with an authority of one's own, and tokens that only look. Needs `npm run build`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../daemon/index.js';
import { opensslMissing, selfSigned } from '../helpers/certificates.js';
import { cli, scratch, stopped } from '../helpers/cli.js';
import { daemon } from '../helpers/daemon.js';

const { path } = scratch();

describe('daemon, over HTTPS', () => {
  it.skipIf(opensslMissing)(
    'is reached by --ca or NODE_EXTRA_CA_CERTS, keeps its view token, and moves runs for who controls alone',
    { timeout: 60_000 },
    async () => {
      const state = path('state');
      await mkdir(state);
      const { cert, key } = selfSigned('latstream');
      const args = ['--tls-cert', cert, '--tls-key', key];
      const first = await daemon(state, { args });
      const { url, viewToken } = (await readAddress(state))!;
      expect(url).toMatch(/^https:/);
      const asked = ['runs', '--state', state, '--json'];
      const none = { code: 0, stdout: '{"runs":[]}\n' };
      expect(await cli([...asked, '--ca', cert])).toMatchObject(none);
      expect(await cli(asked, { NODE_EXTRA_CA_CERTS: cert })).toMatchObject(none);
      const untrusting = await cli(asked);
      expect(untrusting.code).toBe(5);
      expect(untrusting.stderr).toContain('DAEMON_CERTIFICATE');

      const words = path('view-token');
      await writeFile(words, `${viewToken}\n`);
      const looks = ['--daemon', url, '--token-file', words, '--ca', cert];
      expect(await cli(['runs', ...looks, '--json'])).toMatchObject(none);
      const refused = await cli(['cancel', 'nobody', ...looks]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('[DAEMON_ROLE]');
      first.child.kill('SIGHUP');
      expect((await stopped(first)).stderr).toContain('"certificate read"');

      const second = await daemon(state);
      expect(await readAddress(state)).toMatchObject({ viewToken });
      expect((await stopped(second)).code).toBe(0);
    },
  );
});
