/** @file What a server's refusal means to the user. */
import { complain } from '../foundation/index.js';
import { Passing } from './attempts.js';
import type { Remote } from './settings.js';

/**
 * Words an answer that is no success.
 * @throws Passing where it may be another one soon; REMOTE_UNAUTHORIZED, REMOTE_DENIED, REMOTE_MISSING, REMOTE_REFUSED.
 */
export function refused(
  status: number,
  header: (name: string) => string | undefined,
  owner: string,
  remote: Remote,
): never {
  const got = [status, header('x-error-code'), header('x-error-message')]
    .filter((part) => part !== undefined)
    .join(' ')
    .slice(0, 300);
  if (status === 408 || status === 429 || status >= 500) throw new Passing(`status ${got}`, wait(header));
  const [code, expected, hint] = meaningOf(status, header('x-error-code'), remote);
  return complain({ code, owner, expected, got: `status ${got}`, hint });
}

function meaningOf(
  status: number,
  code: string | undefined,
  remote: Remote,
): readonly [code: string, expected: string, hint: string] {
  const own =
    remote.token === undefined ? 'set HF_TOKEN to a token that may read it' : 'check what HF_TOKEN may read';
  if (code === 'GatedRepo')
    return [
      'REMOTE_DENIED',
      'access to a gated repository',
      `accept its conditions on its page at ${remote.endpoint}, and ${own}`,
    ];
  if (code === 'RevisionNotFound')
    return ['REMOTE_MISSING', 'a revision of that name', 'name a branch, a tag or a whole commit hash'];
  if (code === 'EntryNotFound')
    return ['REMOTE_MISSING', 'a file of that name', 'check its name and the revision'];
  if (code === 'RepoNotFound' || status === 404)
    return ['REMOTE_MISSING', 'something there', `check the name; if it is private, ${own}`];
  if (status === 401)
    return ['REMOTE_UNAUTHORIZED', 'leave to read it', `check the name; if it is private, ${own}`];
  if (status === 403) return ['REMOTE_DENIED', 'leave to read it', own];
  return ['REMOTE_REFUSED', 'an answer that is a success', 'check the address'];
}

/** What the server asks to wait, in milliseconds; a date in its place is not worth a clock. */
function wait(header: (name: string) => string | undefined): number {
  const seconds = Number(header('retry-after') ?? /\bt=(\d+)/.exec(header('ratelimit') ?? '')?.[1] ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
