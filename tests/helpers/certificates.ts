/** @file Certificates for tests, made by openssl where there is one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether tests of TLS must be skipped. */
export const opensslMissing = spawnSync('openssl', ['version']).status !== 0;
if (opensslMissing) process.stdout.write('TLS tests skipped: no openssl\n');

export interface Certificate {
  /** Files in PEM. */
  readonly cert: string;
  readonly key: string;
}

/** A certificate that is its own authority. @param name its subject. @param whom whom it is for */
export function selfSigned(name: string, whom = 'IP:127.0.0.1,DNS:localhost'): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'latstream-tls-'));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '2'],
    ...['-keyout', key, '-out', cert, '-subj', `/CN=${name}`],
    ...['-addext', `subjectAltName=${whom}`],
  ]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return { cert, key };
}
