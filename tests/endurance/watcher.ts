/** @file A viewer over WebSocket: keeps the last of every series, and notes what came out of order. */
import { WebSocket } from 'ws';
import type { ServerMessage } from '../../monitor/index.js';

/** The last of a series. */
export interface Last {
  readonly sequence: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number | null>>;
}

export class Watcher {
  readonly last = new Map<string, Last>();
  readonly socket: WebSocket;
  session = '';
  newest = -1;
  received = 0;
  /** Metrics that were not newer than those before. */
  disordered = 0;
  isLive = false;

  /** @param url of the WebSocket. @param before what a former connection has got: only what is newer is asked for. */
  constructor(url: string, before?: Watcher) {
    if (before) {
      this.last = before.last;
      [this.session, this.newest] = [before.session, before.newest];
    }
    this.socket = new WebSocket(`${url}?session=${this.session}&after=${this.newest}`, {
      perMessageDeflate: false,
    });
    this.socket.on('message', (data: Buffer) => this.#hear(parsed(data.toString())));
    this.socket.on('error', () => undefined); // `close` follows
  }

  #hear(message: ServerMessage): void {
    if (message.type === 'live') this.isLive = true;
    if (message.type === 'hello' && message.session !== this.session) {
      [this.session, this.newest] = [message.session, -1];
      this.last.clear();
    }
    if (message.type !== 'metric') return;
    const { run, kind, sequence, step, values } = message;
    if (sequence <= this.newest) this.disordered += 1;
    this.newest = sequence;
    this.received += 1;
    this.last.set(seriesName({ run, kind }), { sequence, step, values });
  }
}

export function seriesName({ run, kind }: { readonly run: string; readonly kind: string }): string {
  return `${run} ${kind}`;
}

/** Viewers of one process get the same texts, and parse each of them once. */
const known = new Map<string, ServerMessage>();
const MOST_KNOWN = 1000;

function parsed(text: string): ServerMessage {
  const found = known.get(text);
  if (found) return found;
  const message = JSON.parse(text) as ServerMessage;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, message);
  return message;
}

/** Where the WebSocket of a live page is. */
export function socketOf(page: string): string {
  return `${page.replace('http', 'ws')}metrics`;
}

/** The last of every series as text: equal where the series are. */
export function viewOf(last: ReadonlyMap<string, Last>): string {
  return JSON.stringify([...last].sort(([a], [b]) => (a < b ? -1 : 1)));
}
