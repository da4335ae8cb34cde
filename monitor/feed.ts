/** @file The WebSocket side of the monitor: viewers come and go, metrics go out, commands come in. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Metric } from '../streams/index.js';
import type { History } from './history.js';
import { Outbox } from './outbox.js';
import { Past } from './past.js';
import {
  commandFrom,
  COMMANDS,
  PROTOCOL_VERSION,
  type Command,
  type RunDescription,
  type RunState,
  type ServerMessage,
} from './protocol.js';
import { Subscriber, type Backlog } from './subscriber.js';

export interface FeedOptions {
  readonly description: RunDescription;
  readonly history: History;
  /** Carries out viewers' commands; without it they only watch. */
  readonly onCommand: ((command: Command) => void | Promise<void>) | undefined;
  readonly backlog: Backlog | undefined;
}

const HEARTBEAT_MILLISECONDS = 30_000;
const GOODBYE_MILLISECONDS = 500;
const MAX_MESSAGE_BYTES = 4096;

export class Feed {
  readonly session = randomUUID();
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false, // twelve times the CPU for messages this small
    maxPayload: MAX_MESSAGE_BYTES,
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
    for (const viewer of this.#viewers.values()) viewer.send({ type: 'state', ...this.#state });
  }

  /** Completes the handshake of a request that may pass. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws, socket, request));
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#outbox.flush();
    for (const socket of this.#viewers.keys()) {
      socket.close(1001, 'the monitor closes');
      // A viewer that does not answer must not hold the process.
      setTimeout(() => socket.terminate(), GOODBYE_MILLISECONDS).unref();
    }
    this.#server.close();
  }

  #welcome(socket: WebSocket, stream: Duplex, request: IncomingMessage): void {
    const { description, history, backlog, onCommand } = this.options;
    const viewer = new Subscriber(socket, stream, this.#past, this.#newestSeenBy(request), backlog);
    viewer.send({
      type: 'hello',
      version: PROTOCOL_VERSION,
      session: this.session,
      run: description,
      ...this.#state,
      commands: onCommand === undefined ? [] : COMMANDS,
      next: history.next,
    });
    this.#viewers.set(socket, viewer);
    this.#answered.add(socket);
    socket.on('pong', () => this.#answered.add(socket));
    socket.on('close', () => this.#viewers.delete(socket));
    socket.on('error', () => undefined); // oversized or malformed: ws answers with the close code and closes
    socket.on('message', (data: Buffer) => {
      void this.#answer(data.toString()).then((reply) => viewer.send(reply));
    });
  }

  /** What a viewer that comes back has already; nothing, if it saw another session. */
  #newestSeenBy(request: IncomingMessage): number {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const after = Number.parseInt(query.get('after') ?? '', 10);
    return query.get('session') === this.session && Number.isSafeInteger(after) ? after : -1;
  }

  async #answer(text: string): Promise<ServerMessage> {
    const message = commandFrom(text);
    if ('error' in message) return { type: 'error', error: message.error };
    const { id, command } = message;
    const { onCommand } = this.options;
    if (onCommand === undefined) return { type: 'reply', id, ok: false, error: 'viewers only watch here' };
    try {
      await onCommand(command);
      return { type: 'reply', id, ok: true };
    } catch (error) {
      return { type: 'reply', id, ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Drops viewers that did not answer the last ping: a closed laptop never says goodbye. */
  #beat(): void {
    for (const socket of this.#viewers.keys()) {
      if (!this.#answered.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}
