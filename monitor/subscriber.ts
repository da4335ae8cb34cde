/** @file One viewer's connection: history first, then live; slow viewers cost bounded memory. Knows `ws` sockets. */
import type { WebSocket } from 'ws';
import type { Metric } from '../streams/index.js';
import { seriesOf, type History } from './history.js';
import type { ServerMessage } from './protocol.js';

/** Bytes that may wait in a viewer's socket. */
export interface Backlog {
  /** Above this, metrics are not queued any more: only the newest of each series is kept aside. */
  readonly high: number;
  /** Below this, what was kept aside is sent. */
  readonly low: number;
  /** Above this, the connection is dropped: the viewer may come back. */
  readonly limit: number;
}

export const BACKLOG: Backlog = { high: 64 << 10, low: 32 << 10, limit: 4 << 20 };

const RETRY_MILLISECONDS = 20;

export class Subscriber {
  /** History still to be sent; undefined once the viewer is live. */
  #history: Metric[] | undefined = [];
  #sent: number;
  readonly #aside = new Map<string, Metric>();
  #timer: NodeJS.Timeout | undefined;

  /** @param after the newest sequence number that the viewer already has, −1 for none. */
  constructor(
    private readonly socket: WebSocket,
    private readonly history: History,
    after: number,
    private readonly backlog: Backlog = BACKLOG,
  ) {
    this.#sent = after;
    socket.once('close', () => clearTimeout(this.#timer));
    this.#timer = setTimeout(() => this.#proceed(), 0); // the hello goes first
  }

  /** A metric that is already in the history. */
  publish(metric: Metric): void {
    if (this.#history !== undefined) return; // catching up: it will be found in the history
    if (this.#aside.size === 0 && this.socket.bufferedAmount <= this.backlog.high) {
      this.#sendMetric(metric);
      return;
    }
    this.#aside.delete(seriesOf(metric)); // so that the map stays in sequence
    this.#aside.set(seriesOf(metric), metric);
    this.#timer ??= setTimeout(() => this.#proceed(), RETRY_MILLISECONDS);
  }

  send(message: ServerMessage): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(JSON.stringify(message));
    if (this.socket.bufferedAmount > this.backlog.limit) this.socket.terminate();
  }

  #proceed(): void {
    this.#timer = undefined;
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount < this.backlog.low) {
      this.#catchUp();
      for (const [series, metric] of this.#aside) {
        if (this.socket.bufferedAmount > this.backlog.high) break;
        this.#aside.delete(series);
        this.#sendMetric(metric);
      }
    }
    if (this.#history !== undefined || this.#aside.size > 0) {
      this.#timer = setTimeout(() => this.#proceed(), RETRY_MILLISECONDS);
    }
  }

  /** Sends history until the socket is full or there is none left; then the viewer is live. */
  #catchUp(): void {
    while (this.#history !== undefined) {
      if (this.#history.length === 0) this.#history = this.history.after(this.#sent).reverse();
      if (this.#history.length === 0) {
        this.#history = undefined;
        this.send({ type: 'live' });
        return;
      }
      while (this.#history.length > 0 && this.socket.bufferedAmount <= this.backlog.high) {
        const metric = this.#history.pop();
        if (metric !== undefined) this.#sendMetric(metric);
      }
      if (this.#history.length > 0) return;
    }
  }

  #sendMetric(metric: Metric): void {
    this.#sent = Math.max(this.#sent, metric.sequence);
    this.send({ type: 'metric', ...metric });
  }
}
