/** @file The words that clients must know, and what each lets them do. No imports of ours but errors. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readText } from '../formats/index.js';
import { complain } from '../foundation/index.js';

const SHORTEST = 16;

/** What a token lets its holder do: everything, or only look. */
export type Role = 'control' | 'view';

/** One for each role. */
export type Tokens = Readonly<Record<Role, string>>;

/** Where people give each: a flag for a file, or a variable. */
const PLACES: Readonly<Record<Role, { readonly flag: string; readonly variable: string }>> = {
  control: { flag: '--token-file', variable: 'LATSTREAM_TOKEN' },
  view: { flag: '--view-token-file', variable: 'LATSTREAM_VIEW_TOKEN' },
};

/**
 * The token of a file, or of `LATSTREAM_TOKEN`; undefined where neither is named.
 * @param role `view`: of `LATSTREAM_VIEW_TOKEN`
 * @throws DAEMON_TOKEN_FILE, DAEMON_TOKEN_WEAK
 */
export async function givenToken(
  file: string | undefined,
  role: Role = 'control',
): Promise<string | undefined> {
  const { flag, variable } = PLACES[role];
  if (file === undefined) {
    const given = process.env[variable];
    return given ? strong(given, variable) : undefined;
  }
  const text = await readText(file, 4096).catch((error: unknown) =>
    complain(
      {
        code: 'DAEMON_TOKEN_FILE',
        owner: `${flag} ${file}`,
        expected: 'a file with a token in it',
        got: error instanceof Error ? error.message : String(error),
        hint: 'correct the path',
      },
      { cause: error },
    ),
  );
  return strong(text.trim(), `${flag} ${file}`);
}

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** @throws DAEMON_TOKEN_SAME where who only looks would hold the other token, too */
export function tokensOf(control: string, view: string): Tokens {
  if (control !== view) return { control, view };
  return complain({
    code: 'DAEMON_TOKEN_SAME',
    owner: 'daemon',
    expected: 'a view token that is not the token that controls',
    got: 'the same for both',
    hint: 'give another one by --view-token-file or LATSTREAM_VIEW_TOKEN, or none',
  });
}

/** What an `Authorization` header lets its sender do; takes the same time for every wrong one. */
export function roleOf(header: string | undefined, { control, view }: Tokens): Role | undefined {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const said = digest(header ?? '');
  const [controls, views] = [control, view].map((token) => timingSafeEqual(said, digest(`Bearer ${token}`)));
  return controls ? 'control' : views ? 'view' : undefined;
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
