/** @file The WebSocket side of the monitor: viewers come and go, metrics go out, commands come in. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Metric } from '../streams/index.js';
import { Bucket } from '../foundation/index.js';
import { answerTo, commandsOf } from './answer.js';
import type { History } from './history.js';
import { Outbox } from './outbox.js';
import { Past } from './past.js';
import {
  CLOSE,
  LONGEST_MESSAGE,
  PROTOCOL_VERSION,
  PROTOCOL_VERSIONS,
  viewerQueryFrom,
  type Command,
  type RunDescription,
  type RunState,
} from './protocol.js';
import { Subscriber, type Backlog, type Wanted } from './subscriber.js';

/** What viewers may take. */
export interface Limits {
  /** At a time. */
  readonly viewers: number;
  /** Of one viewer; twice as many at once. */
  readonly messagesPerSecond: number;
}

export const LIMITS: Limits = { viewers: 4096, messagesPerSecond: 10 };

export interface FeedOptions {
  readonly description: RunDescription;
  readonly history: History;
  /** Carries out viewers' commands; without it they only watch. */
  readonly onCommand: ((command: Command) => void | Promise<void>) | undefined;
  readonly backlog: Backlog | undefined;
  readonly limits: Limits;
}

const HEARTBEAT_MILLISECONDS = 30_000;
const GOODBYE_MILLISECONDS = 500;
/** In which one that is sent away can read why. */
const SENT_AWAY_MILLISECONDS = 100;
const BURST_SECONDS = 2;
/** As RFC 6455 has it, in bytes. */
const LONGEST_REASON = 123;

export class Feed {
  readonly session = randomUUID();
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false, // twelve times the CPU for messages this small
    maxPayload: LONGEST_MESSAGE,
  });
  readonly #viewers = new Map<WebSocket, Subscriber>();
  readonly #past: Past;
  readonly #outbox = new Outbox(
    (bundle) => this.#viewers.forEach((viewer) => viewer.deliver(bundle)),
    () => this.#viewers.size,
  );
  readonly #answered = new WeakSet<WebSocket>();
  readonly #heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MILLISECONDS).unref();
  #state: { readonly state: RunState; readonly detail?: string } = { state: 'starting' };

  constructor(private readonly options: FeedOptions) {
    this.#past = new Past(options.history);
  }

  get state(): { readonly state: RunState; readonly detail?: string } {
    return this.#state;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Bytes that wait for all viewers together. */
  get waiting(): number {
    let bytes = 0;
    for (const viewer of this.#viewers.values()) bytes += viewer.waiting;
    return bytes;
  }

  publish(metric: Metric): void {
    this.options.history.add(metric);
    if (this.#state.state === 'starting') this.setState('running');
    if (this.#viewers.size > 0) this.#outbox.add(metric);
  }

  setState(state: RunState, detail?: string): void {
    this.#outbox.flush(); // a state says nothing of metrics that come behind it
    this.#state = detail === undefined ? { state } : { state, detail };
    for (const viewer of this.#viewers.values()) {
      viewer.settle();
      viewer.send({ type: 'state', ...this.#state });
    }
  }

  /** Completes the handshake of a request that may pass. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws, socket, request));
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#outbox.flush();
    for (const [socket, viewer] of this.#viewers) {
      viewer.finish();
      sayGoodbye(socket, CLOSE.leaving, 'the monitor closes');
    }
    this.#server.close();
  }

  #welcome(socket: WebSocket, stream: Duplex, request: IncomingMessage): void {
    // Oversized or malformed: ws answers with the close code, and would read all that comes behind it.
    socket.on('error', () => setImmediate(() => hearNoMore(socket, stream)));
    const wanted = this.#wantedBy(request);
    if ('reason' in wanted) {
      sayGoodbye(socket, wanted.code, wanted.reason);
      return;
    }
    const { description, history, backlog } = this.options;
    const viewer = new Subscriber(socket, stream, this.#past, wanted, backlog);
    viewer.send({
      type: 'hello',
      version: PROTOCOL_VERSION,
      session: this.session,
      run: description,
      ...this.#state,
      commands: commandsOf(this.options),
      next: history.next,
    });
    this.#viewers.set(socket, viewer);
    this.#answered.add(socket);
    socket.on('pong', () => this.#answered.add(socket));
    socket.on('close', () => this.#viewers.delete(socket));
    this.#listen(socket, stream, viewer);
  }

  /** What a viewer's address asks for, or with what the connection is closed. */
  #wantedBy(request: IncomingMessage): Wanted | { readonly code: number; readonly reason: string } {
    const { limits } = this.options;
    if (this.#viewers.size >= limits.viewers)
      return { code: CLOSE.full, reason: `MONITOR_FULL: ${limits.viewers} viewers watch already` };
    const query = viewerQueryFrom(new URL(request.url ?? '/', 'http://localhost').searchParams);
    if ('error' in query) return { code: CLOSE.query, reason: `MONITOR_QUERY: ${query.error}` };
    const { version, session, after, kinds } = query;
    if (version !== undefined && !PROTOCOL_VERSIONS.includes(version))
      return {
        code: CLOSE.version,
        reason: `MONITOR_VERSION: this monitor speaks version ${PROTOCOL_VERSIONS.join(' or ')} and no other`,
      };
    // Sequence numbers of another session may be other metrics'.
    return { after: session === this.session ? after : -1, kinds };
  }

  #listen(socket: WebSocket, stream: Duplex, viewer: Subscriber): void {
    const { limits, onCommand } = this.options;
    const rate = limits.messagesPerSecond;
    const bucket = new Bucket(rate, BURST_SECONDS * rate, performance.now());
    const asked = { onCommand, subscribe: viewer.subscribe.bind(viewer) };
    const may = (): boolean => {
      if (socket.readyState !== socket.OPEN) return false;
      const isFew = bucket.take(performance.now());
      if (!isFew) {
        sayGoodbye(socket, CLOSE.rate, `MONITOR_RATE: more than ${rate} messages a second`);
        hearNoMore(socket, stream);
      }
      return isFew;
    };
    socket.on('ping', () => void may()); // each has been answered
    socket.on('message', (data: Buffer) => {
      if (may()) void answerTo(data.toString(), asked).then((reply) => viewer.send(reply));
    });
  }

  /** Drops viewers that did not answer the last ping: a closed laptop never says goodbye. */
  #beat(): void {
    for (const socket of this.#viewers.keys()) {
      if (!this.#answered.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

function sayGoodbye(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason.replace(/[^\x20-\x7e]/g, '?').slice(0, LONGEST_REASON));
  // A viewer that does not answer must not hold the process.
  setTimeout(() => socket.terminate(), GOODBYE_MILLISECONDS).unref();
}

/** Reading costs; what is said by one that is sent away is worth nothing. */
function hearNoMore(socket: WebSocket, stream: Duplex): void {
  stream.pause();
  setTimeout(() => socket.terminate(), SENT_AWAY_MILLISECONDS).unref();
}
