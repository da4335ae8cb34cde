/** @file The control API over HTTP: who may ask, how much they may say, and what went wrong as JSON. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { complain, LatstreamError, parseJson } from '../foundation/index.js';
import { accessCheck, bracketed, listen, PAGE_POLICY } from '../monitor/index.js';
import type { Log } from './log.js';
import { CONTROL_VERSION, LONGEST_BODY, VERSION_HEADER } from './protocol.js';
import type { Reply, Route } from './routes.js';
import { authorized } from './token.js';

export interface ServerParts {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly token: string;
  readonly allowedHosts: readonly string[];
  readonly routes: readonly Route[];
  readonly log: Log;
}

export interface ControlServer {
  readonly url: string;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 256;
const SLOWEST_REQUEST_MILLISECONDS = 10_000;

/** By the code of the error, or its beginning. */
const STATUS: Readonly<Record<string, number>> = {
  DAEMON_REQUEST: 400,
  RECIPE: 400,
  DAEMON_UNAUTHORIZED: 401,
  DAEMON_FORBIDDEN: 403,
  DAEMON_RUN_UNKNOWN: 404,
  DAEMON_NO_ROUTE: 404,
  DAEMON_METHOD: 405,
  DAEMON_RUN_STATE: 409,
  DAEMON_RUN_KEY: 409,
  DAEMON_BODY: 413,
  DAEMON_LEAVING: 503,
  DAEMON_STATE_WRITE: 503,
};

/** @throws DAEMON_PORT_IN_USE, DAEMON_LISTEN */
export async function startServer(parts: ServerParts): Promise<ControlServer> {
  const refusal = accessCheck(parts.host, parts.allowedHosts);
  const http = createServer((request, response) => {
    void replyTo(request, parts, refusal)
      .catch((error: unknown) => refused(error, parts.log))
      .then((reply) => send(response, reply));
  });
  http.maxConnections = MOST_CONNECTIONS;
  http.requestTimeout = http.headersTimeout = SLOWEST_REQUEST_MILLISECONDS;
  await listen(http, parts.host, parts.port, 'daemon');
  const { port } = http.address() as AddressInfo;
  const everywhere = parts.host === '0.0.0.0' || parts.host === '::';
  return {
    url: `http://${everywhere ? '127.0.0.1' : bracketed(parts.host)}:${port}`,
    close: async () => {
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}

async function replyTo(
  request: IncomingMessage,
  { routes, token }: ServerParts,
  refusal: (request: IncomingMessage) => string | undefined,
): Promise<Reply> {
  const no = (code: string, expected: string, got: string, hint: string): never =>
    complain({ code, owner: 'daemon', expected, got, hint });
  const reason = refusal(request);
  if (reason !== undefined)
    no('DAEMON_FORBIDDEN', 'a request of this machine', reason, 'ask by the name that the daemon listens on');
  const [path = '/', query] = (request.url ?? '/').split('?', 2);
  const found = routes.filter((route) => route.path.test(path));
  if (!found.some(({ open }) => open) && !authorized(request.headers.authorization, token))
    no(
      'DAEMON_UNAUTHORIZED',
      'its token',
      'none, or another',
      "Authorization: Bearer …, as in the state directory's daemon.json",
    );
  if (found.length === 0)
    no('DAEMON_NO_ROUTE', 'a path of docs/protocol.md', path.slice(0, 80), 'correct it');
  const route = found.find(({ method }) => method === request.method);
  const methods = found.map(({ method }) => method).join(', ');
  if (!route) return no('DAEMON_METHOD', methods, request.method ?? 'none', 'use one of them');
  const body = route.method === 'GET' ? undefined : await bodyOf(request);
  return route.answer(route.path.exec(path)?.[1] ?? '', body, Object.fromEntries(new URLSearchParams(query)));
}

/** Parsed JSON; undefined where nothing was sent. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LONGEST_BODY)
      complain({
        code: 'DAEMON_BODY',
        owner: 'daemon',
        expected: `a body of at most ${LONGEST_BODY} bytes`,
        got: 'more',
        hint: 'tables belong into files that the recipe names',
      });
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return parseJson(Buffer.concat(chunks).toString('utf8'));
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

function send(response: ServerResponse, { status, body, type }: Reply): void {
  const text = type === undefined ? `${JSON.stringify(body)}\n` : String(body);
  response
    .writeHead(status, {
      'content-type': type ?? 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': PAGE_POLICY,
      [VERSION_HEADER]: String(CONTROL_VERSION),
      // What was not read of a refused body must not be taken for the next request.
      ...(status >= 400 && { connection: 'close' }),
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    })
    .end(text);
}
