/** @file The control API over HTTP or HTTPS: how much may be said, who answers, and what went wrong as JSON. */
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { complain, LatstreamError, parseJson } from '../foundation/index.js';
import { accessCheck, bracketed, listen } from '../monitor/index.js';
import { boundedBody } from './bounded-body.js';
import { admit, refuseViewer, type GateParts } from './gate.js';
import type { Log } from './log.js';
import { CONTROL_VERSION, LONGEST_BODY, VERSION_HEADER } from './protocol.js';
import { Rates } from './rates.js';
import { checked, type Reply, type Route } from './routes.js';
import { send } from './send.js';
import type { Role, Tokens } from './token.js';

export interface ServerParts {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly tokens: Tokens;
  readonly allowedHosts: readonly string[];
  readonly routes: readonly Route[];
  readonly log: Log;
  /** Of one address. */
  readonly requestsPerSecond: number;
  /** Certificate and key; without them there is no TLS. */
  readonly tls?: SecureContextOptions | undefined;
}

export interface ControlServer {
  readonly url: string;
  /** From now on. */
  limit(requestsPerSecond: number): void;
  /** For connections to come; where there is TLS. */
  certify(tls: SecureContextOptions): void;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 256;
const SLOWEST_REQUEST_MILLISECONDS = 10_000;

/** By the code of the error, or its beginning. */
const STATUS: Readonly<Record<string, number>> = {
  DAEMON_REQUEST: 400,
  DAEMON_VERSION: 400,
  RECIPE: 400,
  DAEMON_UNAUTHORIZED: 401,
  DAEMON_FORBIDDEN: 403,
  DAEMON_ROLE: 403,
  DAEMON_RUN_UNKNOWN: 404,
  DAEMON_FILE_UNKNOWN: 404,
  DAEMON_NO_ROUTE: 404,
  SWEEP_UNKNOWN: 404,
  DAEMON_METHOD: 405,
  DAEMON_RUN_STATE: 409,
  DAEMON_RUN_KEY: 409,
  DAEMON_BODY: 413,
  DAEMON_RATE: 429,
  DAEMON_LEAVING: 503,
  DAEMON_STATE_WRITE: 503,
  FLEET: 503,
};

/** @throws DAEMON_PORT_IN_USE, DAEMON_LISTEN */
export async function startServer(parts: ServerParts): Promise<ControlServer> {
  const rates = new Rates(parts.requestsPerSecond);
  const gate: GateParts = { ...parts, rates, foreign: accessCheck(parts.host, parts.allowedHosts) };
  const answering = new WeakSet<Duplex>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    answering.add(request.socket);
    response.on('close', () => answering.delete(request.socket));
    void handle(request, response, parts, gate);
  };
  const options = { requireHostHeader: false }; // without one, it is refused like all others
  const secure = parts.tls && createTlsServer({ ...options, ...parts.tls }, answer);
  const http = secure ?? createPlainServer(options, answer);
  http.maxConnections = MOST_CONNECTIONS;
  http.requestTimeout = http.headersTimeout = SLOWEST_REQUEST_MILLISECONDS;
  http.on('checkExpectation', answer);
  http.on('clientError', (error, socket) => {
    // What is being answered must not be interrupted by another answer.
    if (answering.has(socket)) socket.destroy();
    else refuseNoise(error, socket);
  });
  await listen(http, parts.host, parts.port, 'daemon');
  return controlOf(http, secure, parts.host, rates);
}

function controlOf(http: Server, secure: TlsServer | undefined, host: string, rates: Rates): ControlServer {
  const { port } = http.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : bracketed(host);
  return {
    url: `${secure ? 'https' : 'http'}://${name}:${port}`,
    limit: (perSecond) => rates.limit(perSecond),
    certify: (tls) => secure?.setSecureContext(tls),
    close: async () => {
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, log }: ServerParts,
  gate: GateParts,
): Promise<void> {
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  const found = routes.filter((route) => route.path.test(path));
  let role: Role | undefined;
  try {
    role = await admit(
      request,
      found.some(({ open }) => open),
      gate,
    );
    const route = chosen(found, request.method ?? 'none', path);
    refuseViewer(role, route);
    const body = route.method === 'GET' ? undefined : await bodyOf(request);
    const said = Object.fromEntries(new URLSearchParams(query));
    const values = route.query ? checked(route.query, said) : said;
    const [, id = '', rest = ''] = route.path.exec(path) ?? [];
    send(response, await route.answer(id, body, values, rest), role, log);
  } catch (error) {
    send(response, refused(error, log), role, log);
  }
}

/** @param found what answers to `path`. @throws DAEMON_NO_ROUTE, DAEMON_METHOD */
function chosen(found: readonly Route[], method: string, path: string): Route {
  const no = (code: string, expected: string, got: string, hint: string): never =>
    complain({ code, owner: 'daemon', expected, got, hint });
  if (found.length === 0)
    return no('DAEMON_NO_ROUTE', 'a path of docs/protocol.md', path.slice(0, 80), 'correct it');
  const methods = found.map((route) => route.method).join(', ');
  return (
    found.find((route) => route.method === method) ?? no('DAEMON_METHOD', methods, method, 'use one of them')
  );
}

/** Parsed JSON; undefined where nothing was sent. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const body = await boundedBody(request, LONGEST_BODY, () =>
    complain({
      code: 'DAEMON_BODY',
      owner: 'daemon',
      expected: `a body of at most ${LONGEST_BODY} bytes`,
      got: 'more',
      hint: 'tables belong into files that the recipe names',
    }),
  );
  if (body.length === 0) return undefined;
  try {
    return parseJson(body.toString('utf8'));
  } catch (error) {
    return complain({
      code: 'DAEMON_REQUEST',
      owner: 'daemon',
      expected: 'JSON',
      got: error instanceof Error ? error.message.slice(0, 200) : 'something else',
      hint: 'correct the request',
    });
  }
}

function refused(error: unknown, log: Log): Reply {
  if (error instanceof LatstreamError) {
    const { code, complaint } = error;
    const status = STATUS[code] ?? STATUS[code.split('_', 1)[0] ?? ''] ?? 500;
    return { status, body: { error: complaint } };
  }
  const message = error instanceof Error ? error.message : String(error);
  log('error', 'request failed', { error: message });
  const complaint = {
    code: 'INTERNAL',
    owner: 'daemon',
    expected: 'to answer',
    got: message,
    hint: 'report it',
  };
  return { status: 500, body: { error: complaint } };
}

/** What is no HTTP, too long a head, or too slow. */
function refuseNoise(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const complaint = {
    ...{ code: 'DAEMON_REQUEST', owner: 'daemon', expected: 'an HTTP request, whole and in time' },
    ...{ got: error.code ?? 'something else', hint: 'correct the request' },
  };
  const text = `${JSON.stringify({ error: complaint })}\n`;
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n${VERSION_HEADER}: ${CONTROL_VERSION}\r\n\r\n${text}`,
  );
}
