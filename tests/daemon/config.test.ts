/** @file What a daemon is told in a file, and told anew while it runs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../daemon/address.js';
import { DEFAULTS, readConfig } from '../../daemon/config.js';
import { startDaemon } from '../../daemon/daemon.js';
import { scratch } from '../helpers/cli.js';

const { path } = scratch();

describe('the configuration', () => {
  it('is what stands in the file over what held before; no file is none', async () => {
    mkdirSync(path('files'));
    const file = path('files/config.yaml');
    expect(await readConfig(file, DEFAULTS)).toBeUndefined();
    writeFileSync(file, '');
    expect(await readConfig(file, DEFAULTS)).toEqual(DEFAULTS);
    writeFileSync(file, 'parallel: 3\nretrySeconds: 0.5\n');
    expect(await readConfig(file, DEFAULTS)).toEqual({ ...DEFAULTS, parallel: 3, retrySeconds: 0.5 });
  });

  it.each([
    ['an unknown key', 'paralel: 3', /paralel/],
    ['another type', 'parallel: many', /parallel/],
    ['less than none', 'parallel: -1', /parallel/],
    ['no YAML', 'parallel: [', /./],
    ['a list', '- parallel', /./],
  ])('that is wrong is refused with its place: %s', async (_, text, got) => {
    const file = path('wrong.yaml');
    writeFileSync(file, text);
    await expect(readConfig(file, DEFAULTS)).rejects.toMatchObject({
      code: 'DAEMON_CONFIG',
      complaint: { got: expect.stringMatching(got) as unknown },
    });
  });

  it('read again holds for what an address may ask, and a bad one changes nothing', async () => {
    const state = path('state');
    mkdirSync(state);
    const lines: string[] = [];
    const daemon = await startDaemon({
      ...{ state, runs: state, host: '127.0.0.1', port: 0, allowedHosts: [], parallel: 1 },
      token: undefined,
      launch: () => expect.unreachable(),
      version: '0',
      log: (level, message) => lines.push(`${level} ${message}`),
    });
    const { url, token } = (await readAddress(state))!;
    const answers = async (): Promise<Set<number>> => {
      const ask = (): Promise<Response> =>
        fetch(new URL('/runs', url), { headers: { authorization: `Bearer ${token}` } });
      return new Set((await Promise.all(Array.from({ length: 40 }, ask))).map(({ status }) => status));
    };
    try {
      expect(await answers()).toEqual(new Set([200]));
      writeFileSync(join(state, 'config.yaml'), 'requestsPerSecond: 1\n');
      await daemon.reload();
      expect(await answers()).toEqual(new Set([200, 429]));
      writeFileSync(join(state, 'config.yaml'), 'requestsPerSecond: none\n');
      await daemon.reload();
      expect(lines.at(-1)).toMatch(/^error daemon configuration .*requestsPerSecond/);
      expect(await answers()).toContain(429);
      writeFileSync(join(state, 'config.yaml'), 'requestsPerSecond: 1000\n');
      await daemon.reload();
      expect(await answers()).toEqual(new Set([200]));
    } finally {
      await daemon.close();
    }
  });
});
