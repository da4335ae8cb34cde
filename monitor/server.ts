/**
 * @file The monitor: one HTTP server with the live page, the metrics WebSocket and `/healthz`. Serves people: it must
 * run on a thread that never calls a tensor runtime.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Metric } from '../streams/index.js';
import type { AnswersView } from './answers.js';
import { accessCheck, bracketed, isLoopback } from './access.js';
import { PAGE_POLICY, viewerAssets, type Asset } from './assets.js';
import { Feed, LIMITS, type Limits } from './feed.js';
import { History } from './history.js';
import { listen } from './listen.js';
import { Notes } from './notes.js';
import { PROTOCOL_VERSION, type Command, type RunDescription, type RunState } from './protocol.js';
import type { Backlog } from './subscriber.js';

export interface MonitorOptions {
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** Address to listen on; only this machine by default. */
  readonly host?: string;
  /** Host names that browsers may use besides the machine's own, e.g. of a reverse proxy. */
  readonly allowedHosts?: readonly string[];
  readonly description: RunDescription;
  /** What happened before, e.g. `metricsIn(file)` after a resume. */
  readonly history?: Iterable<Metric> | AsyncIterable<Metric>;
  /** Metrics kept for late viewers, of each run and kind; 2000 by default. */
  readonly historyLimit?: number;
  /** Carries out a viewer's command. Without it, and on addresses that others can reach, viewers only watch. */
  readonly onCommand?: (command: Command) => void | Promise<void>;
  /** What its arms answered to a question, where they are asked any. */
  readonly answers?: (index: number) => Promise<AnswersView>;
  /** What may wait for slow viewers. */
  readonly backlog?: Backlog;
  /** What viewers may take. */
  readonly limits?: Partial<Limits>;
}

export interface Monitor {
  /** Where the live page is. */
  readonly url: string;
  publish(metric: Metric): void;
  /** A line of the log that viewers see. */
  note(text: string): void;
  /** Tells viewers what the run does now; `detail` is for people, e.g. an error's message. */
  setState(state: RunState, detail?: string): void;
  /** Says goodbye to viewers and frees the port. */
  close(): Promise<void>;
}

const SLOWEST_REQUEST_MILLISECONDS = 10_000;
const GOODBYE_MILLISECONDS = 500;

const HEADERS = {
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Not every browser takes a WebSocket of the same host for 'self'.
  'content-security-policy': PAGE_POLICY.replace("connect-src 'self'", "connect-src 'self' ws: wss:"),
};

/**
 * Starts the monitor.
 * @throws MONITOR_PORT_IN_USE, or MONITOR_LISTEN when the address is not available or not permitted.
 */
export async function startMonitor(options: MonitorOptions): Promise<Monitor> {
  const host = options.host ?? '127.0.0.1';
  const history = new History(options.historyLimit);
  for await (const metric of options.history ?? []) history.add(metric);
  const assets = await viewerAssets();
  const feed = new Feed({
    description: options.description,
    history,
    onCommand: isLoopback(host) ? options.onCommand : undefined,
    backlog: options.backlog,
    limits: { ...LIMITS, ...options.limits },
  });
  const started = performance.now();
  const health = (): object => ({
    status: 'ok',
    version: PROTOCOL_VERSION,
    session: feed.session,
    run: options.description.name,
    ...feed.state,
    next: history.next,
    viewers: feed.viewers,
    waiting: feed.waiting,
    uptimeSeconds: Math.round((performance.now() - started) / 100) / 10,
  });
  const notes = new Notes();
  const texts = new Map<string, Text>([
    ['/healthz', health],
    ['/log', () => ({ lines: notes.lines })],
    ['/answers', (query) => answersTo(query, options)],
  ]);
  const refusal = accessCheck(host, options.allowedHosts);
  const http = createServer(
    { connectionsCheckingInterval: SLOWEST_REQUEST_MILLISECONDS / 2 },
    (request, response) => void respond(request, response, { refusal, texts, assets }),
  );
  http.requestTimeout = http.headersTimeout = SLOWEST_REQUEST_MILLISECONDS;
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy()); // a client that resets while it is refused
    const reason = refusal(request);
    if (reason !== undefined) refuse(socket, '403 Forbidden', reason);
    else if (pathOf(request) !== '/metrics') refuse(socket, '404 Not Found', 'the WebSocket is at /metrics');
    else feed.accept(request, socket, head);
  });
  try {
    await listen(http, host, options.port, 'monitor');
  } catch (error) {
    feed.close();
    throw error;
  }
  return monitorOf(http, host, feed, notes);
}

async function answersTo(query: URLSearchParams, { answers }: MonitorOptions): Promise<AnswersView> {
  const index = Number.parseInt(query.get('index') ?? '', 10);
  const none = { questions: 0, answers: [] };
  return answers ? answers(Number.isSafeInteger(index) && index > 0 ? index : 0) : none;
}

function monitorOf(http: Server, host: string, feed: Feed, notes: Notes): Monitor {
  const { port } = http.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : bracketed(host);
  return {
    url: `http://${name}:${port}/`,
    publish: (metric) => feed.publish(metric),
    note: (text) => notes.add(text),
    setState: (state, detail) => feed.setState(state, detail),
    close: async () => {
      feed.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeIdleConnections();
      // Half a request is never idle, and nobody looks at the clock of a server that closes.
      const late = setTimeout(() => http.closeAllConnections(), GOODBYE_MILLISECONDS);
      await closed;
      clearTimeout(late);
    },
  };
}

type Text = (query: URLSearchParams) => object | Promise<object>;

interface Site {
  readonly refusal: (request: IncomingMessage) => string | undefined;
  /** What is answered as JSON, by path. */
  readonly texts: ReadonlyMap<string, Text>;
  readonly assets: ReadonlyMap<string, Asset>;
}

async function respond(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const say = (status: number, body: string | Buffer, type = 'text/plain; charset=utf-8'): void => {
    const headers = { ...HEADERS, 'content-type': type, 'content-length': Buffer.byteLength(body) };
    response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body);
  };
  const path = pathOf(request);
  const asset = site.assets.get(path);
  const text = site.texts.get(path);
  const reason = site.refusal(request);
  if (reason !== undefined) say(403, `${reason}\n`);
  else if (request.method !== 'GET' && request.method !== 'HEAD') say(405, 'only GET and HEAD\n');
  else if (text !== undefined) {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const found = await Promise.resolve(query)
      .then(text)
      .catch(() => undefined);
    if (found === undefined) say(500, 'it could not be read\n');
    else say(200, `${JSON.stringify(found)}\n`, 'application/json');
  } else if (path === '/metrics') say(426, 'this is a WebSocket\n');
  else if (asset !== undefined) say(200, asset.body, asset.type);
  else say(404, 'no such page\n');
}

function refuse(socket: Duplex, status: string, reason: string): void {
  socket.once('finish', () => socket.destroy()); // a client that keeps its end open must not keep ours
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain\r\n` +
      `content-length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
  );
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
