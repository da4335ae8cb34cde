/** @file What the page says to the daemon, and the token that it needs for it. */

const VERSION = '1';
const KEY = 'latstream-token';
const LONGEST_WAIT_MILLISECONDS = 30_000;

/** What the daemon refuses with: `code` as in docs/protocol.md, or `UNREACHABLE`, `VERSION`. */
export class Refusal extends Error {
  constructor({ code, expected, got, hint }) {
    super(`expected ${expected}, got ${got}: ${hint}`);
    this.code = code;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? '',
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

let role = 'control';
/** Whether the token lets its holder change nothing. */
export const onlyLooks = () => role === 'view';

/** @throws Refusal */
export async function ask(path, { method = 'GET', body } = {}) {
  const response = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${token.get()}`,
      'content-type': 'application/json',
      'latstream-control': VERSION,
    },
    signal: AbortSignal.timeout(LONGEST_WAIT_MILLISECONDS),
    redirect: 'error',
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => undefined);
  const content = await response?.json().catch(() => undefined);
  if (content === undefined)
    throw new Refusal({
      ...{ code: 'UNREACHABLE', expected: 'a daemon that answers' },
      ...{ got: 'no answer', hint: 'the page asks again' },
    });
  if (response.headers.get('latstream-control') !== VERSION)
    throw new Refusal({
      ...{ code: 'VERSION', expected: `version ${VERSION} of the protocol` },
      ...{ got: 'another', hint: 'reload this page' },
    });
  if (!response.ok) throw new Refusal(content.error);
  role = response.headers.get('latstream-role') ?? role;
  return content;
}
