/** @file The word that clients must know. No imports of ours but errors. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readText } from '../formats/index.js';
import { complain } from '../foundation/index.js';

const SHORTEST = 16;

/**
 * The token of a file, or of `LATSTREAM_TOKEN`; undefined where neither is named.
 * @throws DAEMON_TOKEN_FILE, DAEMON_TOKEN_WEAK
 */
export async function givenToken(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) {
    const { LATSTREAM_TOKEN: given } = process.env;
    return given ? strong(given, 'LATSTREAM_TOKEN') : undefined;
  }
  const text = await readText(file, 4096).catch((error: unknown) =>
    complain(
      {
        code: 'DAEMON_TOKEN_FILE',
        owner: `--token-file ${file}`,
        expected: 'a file with a token in it',
        got: error instanceof Error ? error.message : String(error),
        hint: 'correct the path',
      },
      { cause: error },
    ),
  );
  return strong(text.trim(), `--token-file ${file}`);
}

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether an `Authorization` header has the token; takes the same time for every wrong one. */
export function authorized(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

function strong(token: string, owner: string): string {
  if (token.length >= SHORTEST && /^[\x21-\x7e]+$/.test(token)) return token;
  return complain({
    code: 'DAEMON_TOKEN_WEAK',
    owner,
    expected: `at least ${SHORTEST} printable characters without spaces`,
    got: `${token.length} characters`,
    hint: 'make one with: openssl rand -hex 32',
  });
}
