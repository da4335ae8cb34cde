/** @file One viewer's connection: history first, then live; slow viewers cost bounded memory. Knows `ws` sockets. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Bundle, Reader, Update } from './bundle.js';
import type { Past } from './past.js';
import { textFrame } from './frame.js';
import type { Kinds, ServerMessage } from './protocol.js';
import { Thinning } from './thinning.js';

/** Bytes that may wait in a viewer's socket. */
export interface Backlog {
  /** Above this, metrics are not queued any more: only the newest of each series is kept aside until the socket is empty. */
  readonly high: number;
  /** Above this, the connection is dropped: the viewer may come back. */
  readonly limit: number;
}

/** Between the hello and the history, which costs: who means no good has mostly been sent away by then. */
const GREETING_MILLISECONDS = 200;

export const BACKLOG: Backlog = { high: 64 << 10, limit: 4 << 20 };

/** What a viewer wants. */
export interface Wanted {
  /** The newest sequence number that it already has, −1 for none. */
  readonly after: number;
  /** Undefined: everything. */
  readonly kinds: Kinds | undefined;
}

export class Subscriber {
  /** Undefined once the viewer is live. */
  #history: Reader | undefined;
  /** The newest that was sent, kept aside, held back or not wanted. */
  #reached: number;
  /** Undefined until the viewer asks for less. */
  #thinning: Thinning | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #aside = new Map<string, Update>();

  /** @param stream below the socket: what all viewers get is framed already. */
  constructor(
    private readonly socket: WebSocket,
    private readonly stream: Duplex,
    private readonly past: Past,
    { after, kinds }: Wanted,
    private readonly backlog: Backlog = BACKLOG,
  ) {
    this.#reached = after;
    this.#thinning = kinds && new Thinning(kinds);
    // What was held back when a viewer left may be older than what it has: it gets the newest of each series again.
    this.#history = this.#thinning
      ? past.thinned(this.#thinning, after, past.newest(after))
      : past.reader(after);
    socket.once('close', () => {
      this.#history?.end();
      clearTimeout(this.#timer);
    });
    this.#timer = setTimeout(() => this.#begin(), GREETING_MILLISECONDS);
  }

  /** What waits in its socket, in bytes. */
  get waiting(): number {
    return this.socket.bufferedAmount;
  }

  /** Metrics that are already in the history. */
  deliver(bundle: Bundle): void {
    if (this.#history !== undefined) return; // catching up: it will find them in the history
    if (this.#thinning) {
      this.#offer(this.#thinning.sift(bundle.updates(this.#reached)));
      this.#watch();
    } else if (this.#aside.size === 0 && !this.#isFull) {
      const piece = bundle.after(this.#reached);
      if (piece) this.#write(piece.bytes);
    } else this.#keep(bundle.updates(this.#reached));
    this.#reached = Math.max(this.#reached, bundle.last);
  }

  /** From now on it wants this; what it was owed of that comes at once. */
  subscribe(kinds: Kinds): void {
    const before = this.#thinning;
    const thinning = (this.#thinning = new Thinning(kinds));
    for (const series of this.#aside.keys()) if (!thinning.wants(series)) this.#aside.delete(series);
    const unwanted = this.past.newest(this.#reached).filter(({ series }) => before?.wants(series) === false);
    const unread = this.#history?.end() ?? [];
    const owed = [...(before?.release() ?? []), ...unwanted, ...unread]
      .filter(({ series }) => thinning.wants(series))
      .sort((a, b) => a.sequence - b.sequence);
    if (this.#history === undefined) {
      this.#offer(owed);
      return;
    }
    this.#history = this.past.thinned(thinning, this.#reached, owed);
  }

  /** Sends what was held back: nothing may come behind it. */
  settle(): void {
    if (this.#history === undefined && this.#thinning) this.#offer(this.#thinning.release());
  }

  /** Sends all that it is owed, however full its socket is: what is left of the history, or one metric of each series. */
  finish(): void {
    this.#catchUp(true);
    this.settle();
    for (const { frame } of this.#aside.values()) this.#write(frame);
    this.#aside.clear();
  }

  send(message: ServerMessage): void {
    this.#write(textFrame(JSON.stringify(message)));
  }

  /** Above the limit with something to drain: behind that, the stream says so. */
  get #isFull(): boolean {
    return this.stream.writableNeedDrain && this.waiting > this.backlog.high;
  }

  #offer(updates: readonly Update[]): void {
    if (updates.length === 0) return;
    if (this.#aside.size > 0 || this.#isFull) this.#keep(updates);
    else this.#write(Buffer.concat(updates.map(({ frame }) => frame)));
  }

  #keep(updates: Iterable<Update>): void {
    for (const update of updates) {
      this.#aside.delete(update.series); // so that the map stays in sequence
      this.#aside.set(update.series, update);
    }
  }

  /** Looks again when something that was held back is due. */
  #watch(): void {
    const wait = this.#thinning?.wait;
    if (wait === undefined || this.#timer !== undefined || this.socket.readyState !== this.socket.OPEN)
      return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#history === undefined && this.#thinning) this.#offer(this.#thinning.due());
      this.#watch();
    }, Math.ceil(wait));
  }

  #begin(): void {
    this.#timer = undefined;
    this.stream.on('drain', () => this.#proceed());
    this.#proceed();
  }

  #proceed(): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.#catchUp();
    for (const [series, update] of this.#aside) {
      if (this.#isFull) break;
      this.#aside.delete(series);
      this.#write(update.frame);
    }
  }

  /** Sends history until the socket is full, if that matters, or there is none left; then the viewer is live. */
  #catchUp(isLast = false): void {
    while (this.#history !== undefined && (isLast || !this.#isFull)) {
      if (this.socket.readyState !== this.socket.OPEN) return;
      const piece = this.#history.next(Math.max(0, this.backlog.high - (isLast ? 0 : this.waiting)));
      if (piece === undefined) {
        this.#history.end();
        this.#history = undefined;
        this.send({ type: 'live' });
        this.#watch();
        return;
      }
      this.#reached = piece.last;
      if (piece.bytes.length > 0) this.#write(piece.bytes);
    }
  }

  #write(bytes: Buffer): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.stream.write(bytes);
    if (this.waiting > this.backlog.limit) this.socket.terminate();
  }
}
