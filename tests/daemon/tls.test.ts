/** @file The control API over HTTPS: certificates that are good, bad, replaced; clients that trust them or not. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Client } from '../../daemon/client.js';
import { startDaemon, type Daemon } from '../../daemon/daemon.js';
import { readAddress } from '../../daemon/address.js';
import { readAuthorities, readCredentials, tlsFiles } from '../../daemon/tls.js';
import { opensslMissing, selfSigned } from '../helpers/certificates.js';
import { scratch } from '../helpers/cli.js';

const { path } = scratch();

interface Kept {
  readonly daemon: Daemon;
  readonly lines: string[];
  readonly token: string;
}

async function serve(name: string, tls: { cert: string; key: string }): Promise<Kept> {
  const state = path(name);
  mkdirSync(state);
  const lines: string[] = [];
  const daemon = await startDaemon({
    ...{
      state,
      runs: state,
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      parallel: 1,
      token: undefined,
      tls,
      version: '0',
    },
    launch: () => expect.unreachable(),
    log: (level, message, fields) => lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
  });
  return { daemon, lines, token: (await readAddress(state))!.token };
}

/** Whom a new connection meets. */
async function peer({ daemon }: Kept, options: ConnectionOptions = {}): Promise<string> {
  const port = Number(new URL(daemon.url).port);
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
    return String(socket.getPeerCertificate().subject.CN);
  } finally {
    socket.destroy();
  }
}

describe.skipIf(opensslMissing)('a daemon with a certificate', () => {
  it('speaks to those that trust it, and to nobody else', async () => {
    const own = selfSigned('first');
    const kept = await serve('trusted', own);
    const { daemon, token } = kept;
    try {
      expect(daemon.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      const ca = await readAuthorities(own.cert);
      expect(await new Client(daemon.url, token, ca).runs()).toEqual([]);
      const other = await readAuthorities(selfSigned('other').cert);
      for (const client of [new Client(daemon.url, token), new Client(daemon.url, token, other)])
        await expect(client.runs()).rejects.toMatchObject({ code: 'DAEMON_CERTIFICATE' });
      const plain = new Client(daemon.url.replace('https', 'http'), token);
      await expect(plain.runs()).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' });
    } finally {
      await daemon.close();
    }
  });

  it('speaks TLS 1.2 and 1.3 and nothing older', async () => {
    const kept = await serve('versions', selfSigned('first'));
    const only = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
      peer(kept, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
    try {
      expect([await only('TLSv1.2'), await only('TLSv1.3')]).toEqual(['first', 'first']);
      for (const old of ['TLSv1', 'TLSv1.1'] as const)
        await expect(only(old)).rejects.toThrow(/protocol|alert/i);
    } finally {
      await kept.daemon.close();
    }
  });

  it('takes another one when it is told to read again, and keeps what it has where that is bad', async () => {
    const [first, second] = [selfSigned('first'), selfSigned('second')];
    const kept = await serve('renewed', first);
    const { daemon, lines } = kept;
    try {
      copyFileSync(second.cert, first.cert); // its key is not there yet
      await daemon.reload();
      expect(lines.at(-1)).toMatch(/^error --tls-key .*the key of the certificate/);
      expect(await peer(kept)).toBe('first');
      copyFileSync(second.key, first.key);
      await daemon.reload();
      expect(lines.at(-1)).toMatch(/^info certificate read .*CN=second/);
      expect(await peer(kept)).toBe('second');
      writeFileSync(first.cert, 'no certificate');
      writeFileSync(join(path('renewed'), 'config.yaml'), 'parallel: 3\n');
      await daemon.reload();
      expect(lines.at(-2)).toMatch(/^info configuration read .*"parallel":3/);
      expect(lines.at(-1)).toMatch(/^error --tls-cert .*a certificate in PEM/);
      expect(await peer(kept)).toBe('second');
    } finally {
      await daemon.close();
    }
  });

  it('does not begin with files that cannot be read, are none, or are another’s', async () => {
    const [own, other] = [selfSigned('own'), selfSigned('other')];
    const garbage = path('garbage.pem');
    writeFileSync(garbage, 'garbage');
    const pairs = [
      [path('nowhere'), own.key, /--tls-cert .*nowhere: expected a file that can be read/],
      [own.cert, path('nowhere'), /--tls-key .*nowhere: expected a file that can be read/],
      [garbage, own.key, /expected a certificate in PEM/],
      [own.cert, garbage, /expected the key of the certificate/],
      [own.cert, other.key, /expected the key of the certificate/],
    ] as const;
    for (const [at, [cert, key, message]] of pairs.entries()) {
      const error: unknown = await serve(`refused-${at}`, { cert, key }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'DAEMON_TLS', message: expect.stringMatching(message) as string });
    }
    await expect(readAuthorities(garbage)).rejects.toMatchObject({ code: 'DAEMON_TLS' });
    expect((await readCredentials(own)).subject).toBe('CN=own');
  });

  it('wants both files or none', () => {
    expect(tlsFiles(undefined, undefined)).toBeUndefined();
    for (const [cert, key] of [
      ['x', undefined],
      [undefined, 'x'],
    ] as const)
      expect(() => tlsFiles(cert, key)).toThrow(expect.objectContaining({ code: 'DAEMON_TLS' }));
    expect(readFileSync(selfSigned('x').key, 'utf8')).toContain('PRIVATE KEY');
  });
});
