/** @file Who may ask: name, rate, version, token and role of a request, before anything of it is looked at. */
import type { IncomingMessage } from 'node:http';
import { complain } from '../foundation/index.js';
import { CONTROL_VERSIONS, VERSION_HEADER } from './protocol.js';
import type { Rates } from './rates.js';
import type { Route } from './routes.js';
import { roleOf, type Role, type Tokens } from './token.js';

export interface GateParts {
  /** What is wrong with a request's `Host` or `Origin`; undefined where nothing is. */
  readonly foreign: (request: IncomingMessage) => string | undefined;
  readonly rates: Rates;
  readonly tokens: Tokens;
}

/**
 * Lets a request pass.
 * @param open whether it needs no token
 * @returns what it may do; undefined where it has no token and needs none
 * @throws DAEMON_FORBIDDEN, DAEMON_RATE, DAEMON_VERSION, DAEMON_UNAUTHORIZED
 */
export async function admit(
  request: IncomingMessage,
  open: boolean,
  { foreign, rates, tokens }: GateParts,
): Promise<Role | undefined> {
  const address = request.socket.remoteAddress ?? '';
  rates.request(address);
  const reason = foreign(request);
  if (reason !== undefined)
    no('DAEMON_FORBIDDEN', 'a request of this machine', reason, 'ask by the name that the daemon listens on');
  const version = request.headers[VERSION_HEADER];
  if (version !== undefined && !CONTROL_VERSIONS.map(String).includes(String(version).trim()))
    no(
      'DAEMON_VERSION',
      `${VERSION_HEADER}: ${CONTROL_VERSIONS.join(' or ')}`,
      String(version).slice(0, 80),
      'use a client that speaks it',
    );
  const { authorization } = request.headers;
  const role = roleOf(authorization, tokens);
  if (role !== undefined || open) return role;
  if (authorization !== undefined) await rates.wrong(address);
  return no(
    'DAEMON_UNAUTHORIZED',
    'its token',
    authorization === undefined ? 'none' : 'another',
    "Authorization: Bearer …, as in the state directory's daemon.json",
  );
}

/** @throws DAEMON_ROLE where a request would change something, or take it away, and may only look */
export function refuseViewer(
  role: Role | undefined,
  { method, control }: Pick<Route, 'method' | 'control'>,
): void {
  if (role === 'view' && (method !== 'GET' || control))
    no(
      'DAEMON_ROLE',
      'the token that controls, for what changes something or takes files away',
      'the one that only looks',
      'ask whoever runs the daemon for it, or let them do it',
    );
}

function no(code: string, expected: string, got: string, hint: string): never {
  return complain({ code, owner: 'daemon', expected, got, hint });
}
