/** @file A certificate and its key, read from files and tried before anybody is served with them. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { readText } from '../formats/index.js';
import { complain } from '../foundation/index.js';

/** Where they are, in PEM. */
export interface TlsFiles {
  /** The certificate, and behind it those between it and its authority. */
  readonly cert: string;
  readonly key: string;
}

export interface Credentials {
  /** What a server or its next connections are made with. */
  readonly options: SecureContextOptions;
  /** For people. */
  readonly subject: string;
  readonly expires: Date;
}

const LONGEST_FILE = 2 ** 20;

/** Both files or none. @throws DAEMON_TLS */
export function tlsFiles(cert: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  return refuse('--tls-cert and --tls-key', 'both of them, or none', 'one', 'give the other one, too');
}

/** @throws DAEMON_TLS where a file cannot be read, is none, or does not belong to the other */
export async function readCredentials({ cert: certFile, key: keyFile }: TlsFiles): Promise<Credentials> {
  const cert = await textOf(certFile, '--tls-cert');
  const key = await textOf(keyFile, '--tls-key');
  const certificate = attempt(
    () => new X509Certificate(cert),
    `--tls-cert ${certFile}`,
    'a certificate in PEM',
    'give the file that begins with -----BEGIN CERTIFICATE-----',
  );
  const options: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2' };
  attempt(
    () => createSecureContext(options),
    `--tls-key ${keyFile}`,
    'the key of the certificate, in PEM and without a passphrase',
    'give the key that the certificate was made with',
  );
  const subject = certificate.subject.replaceAll('\n', ', ');
  return { options, subject, expires: new Date(certificate.validTo) };
}

/** The certificates of authorities that a client trusts, in PEM. @throws DAEMON_TLS */
export async function readAuthorities(path: string): Promise<string> {
  const text = await textOf(path, '--ca');
  attempt(
    () => new X509Certificate(text),
    `--ca ${path}`,
    'certificates in PEM',
    'give the file that begins with -----BEGIN CERTIFICATE-----',
  );
  return text;
}

function textOf(path: string, flag: string): Promise<string> {
  return readText(path, LONGEST_FILE).catch((error: unknown) =>
    refuse(
      `${flag} ${path}`,
      'a file that can be read',
      messageOf(error),
      'correct the path or its permissions',
    ),
  );
}

function attempt<T>(work: () => T, owner: string, expected: string, hint: string): T {
  try {
    return work();
  } catch (error) {
    return refuse(owner, expected, messageOf(error), hint);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refuse(owner: string, expected: string, got: string, hint: string): never {
  return complain({ code: 'DAEMON_TLS', owner, expected, got, hint });
}
