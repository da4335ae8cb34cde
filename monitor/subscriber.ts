/** @file One viewer's connection: history first, then live; slow viewers cost bounded memory. Knows `ws` sockets. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Bundle, Update } from './bundle.js';
import type { Past, PastReader } from './past.js';
import { textFrame } from './frame.js';
import type { ServerMessage } from './protocol.js';

/** Bytes that may wait in a viewer's socket. */
export interface Backlog {
  /** Above this, metrics are not queued any more: only the newest of each series is kept aside until the socket is empty. */
  readonly high: number;
  /** Above this, the connection is dropped: the viewer may come back. */
  readonly limit: number;
}

export const BACKLOG: Backlog = { high: 64 << 10, limit: 4 << 20 };

export class Subscriber {
  /** Undefined once the viewer is live. */
  #history: PastReader | undefined;
  #sent: number;
  readonly #aside = new Map<string, Update>();

  /**
   * @param stream below the socket: what all viewers get is framed already.
   * @param after the newest sequence number that the viewer already has, −1 for none.
   */
  constructor(
    private readonly socket: WebSocket,
    private readonly stream: Duplex,
    past: Past,
    after: number,
    private readonly backlog: Backlog = BACKLOG,
  ) {
    this.#sent = after;
    const history = (this.#history = past.reader(after));
    socket.once('close', () => history.end());
    setImmediate(() => this.#proceed()); // the hello goes first
    stream.on('drain', () => this.#proceed());
  }

  /** What waits in its socket, in bytes. */
  get waiting(): number {
    return this.socket.bufferedAmount;
  }

  /** Metrics that are already in the history. */
  deliver(bundle: Bundle): void {
    if (this.#history !== undefined) return; // catching up: it will find them in the history
    if (this.#aside.size === 0 && !this.#isFull) {
      const piece = bundle.after(this.#sent);
      if (piece === undefined) return;
      this.#sent = piece.last;
      this.#write(piece.bytes);
      return;
    }
    for (const update of bundle.updates(this.#sent)) {
      this.#aside.delete(update.series); // so that the map stays in sequence
      this.#aside.set(update.series, update);
    }
  }

  send(message: ServerMessage): void {
    this.#write(textFrame(JSON.stringify(message)));
  }

  /** Above the limit with something to drain: behind that, the stream says so. */
  get #isFull(): boolean {
    return this.stream.writableNeedDrain && this.waiting > this.backlog.high;
  }

  #proceed(): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.#catchUp();
    for (const [series, update] of this.#aside) {
      if (this.#isFull) break;
      this.#aside.delete(series);
      this.#sent = Math.max(this.#sent, update.sequence);
      this.#write(update.frame);
    }
  }

  /** Sends history until the socket is full or there is none left; then the viewer is live. */
  #catchUp(): void {
    while (this.#history !== undefined && !this.#isFull) {
      const piece = this.#history.next(Math.max(0, this.backlog.high - this.waiting));
      if (piece === undefined) {
        this.#history.end();
        this.#history = undefined;
        this.send({ type: 'live' });
        return;
      }
      this.#sent = piece.last;
      this.#write(piece.bytes);
    }
  }

  #write(bytes: Buffer): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.stream.write(bytes);
    if (this.waiting > this.backlog.limit) this.socket.terminate();
  }
}
