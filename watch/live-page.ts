/** @file A run seen through its live page's WebSocket: from its beginning, and after a break from where it was seen last. */
import { on, once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { complain, LatstreamError } from '../foundation/index.js';
import { CLOSE, PROTOCOL_VERSION, type ServerMessage } from '../monitor/index.js';
import { metricFrom } from '../streams/index.js';
import type { Askable, Ending, Source, WatchEvent } from './event.js';
import { Patience } from './patience.js';

/** Messages that may wait here before the socket is no longer read. */
const WAITING = 256;
const HANDSHAKE_MILLISECONDS = 10_000;
/** In bytes: the first message holds a recipe. */
const LONGEST_MESSAGE = 2 ** 24;
/** The page pings every 30 seconds: after more than two of these without one the connection is dead. */
const SILENCE_MILLISECONDS = 75_000;
/** Some of its last metrics may come behind the word that a run has ended. */
const GOODBYE_MILLISECONDS = 1000;
const REPLY_MILLISECONDS = 10_000;

export class LivePage implements Source {
  #socket: WebSocket | undefined;
  /** What was seen last. */
  #session = '';
  #newest = -1;
  #run = '';
  #ending: Ending | undefined;
  readonly #replies = new Map<string, (said: string) => void>();

  /** @param url of the page. @param patience seconds for which it may be out of reach once it was seen */
  constructor(
    private readonly url: URL,
    private readonly patience: number,
  ) {}

  async *events(signal: AbortSignal): AsyncGenerator<WatchEvent, Ending> {
    const patience = new Patience(this.patience);
    const over = (): boolean => signal.aborted;
    while (!over()) {
      let why = 'the connection ended';
      try {
        for await (const message of this.#messages(signal)) {
          patience.refill();
          yield* this.#seen(message);
        }
      } catch (error) {
        if (this.#session === '' || (error as LatstreamError).code === 'WATCH_PROTOCOL') throw error;
        why = error instanceof LatstreamError ? error.complaint.got : String(error);
      }
      // What is said last is how the run ended; the page goes away with it.
      if (this.#ending) return this.#ending;
      if (over()) break;
      if (patience.exhausted) this.#unreachable(why);
      yield { type: 'link', up: false, detail: why };
      await patience.wait(signal);
    }
    return { kind: 'left' };
  }

  async ask(what: Askable): Promise<string> {
    const id = randomUUID();
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return 'not connected';
    socket.send(JSON.stringify({ type: 'command', id, command: what }));
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#replies.get(id)?.('no reply'), REPLY_MILLISECONDS).unref();
      this.#replies.set(id, (said) => {
        clearTimeout(late);
        this.#replies.delete(id);
        resolve(said === '' ? `${what} asked for` : said);
      });
    });
  }

  /** Those of one connection. */
  async *#messages(signal: AbortSignal): AsyncGenerator<ServerMessage> {
    const address = new URL('/metrics', this.url);
    address.protocol = ['https:', 'wss:'].includes(this.url.protocol) ? 'wss:' : 'ws:';
    address.search = new URLSearchParams({
      version: String(PROTOCOL_VERSION),
      ...(this.#session !== '' && { session: this.#session, after: String(this.#newest) }),
    }).toString();
    const socket = new WebSocket(address, {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MILLISECONDS,
      maxPayload: LONGEST_MESSAGE,
    });
    this.#socket = socket;
    socket.on('error', () => undefined); // one that comes after the iteration below has ended
    const messages = on(socket, 'message', { close: ['close'], highWaterMark: WAITING, signal });
    let silent: NodeJS.Timeout | undefined;
    const heard = (): void => {
      clearTimeout(silent);
      const millis = this.#ending ? GOODBYE_MILLISECONDS : SILENCE_MILLISECONDS;
      silent = setTimeout(() => socket.terminate(), millis).unref();
    };
    socket.on('ping', heard);
    const goodbye = { code: 0, reason: '' };
    socket.on('close', (code, reason) => Object.assign(goodbye, { code, reason: reason.toString() }));
    try {
      await once(socket, 'open', { signal });
      for await (const [data] of messages as AsyncIterable<[Buffer]>) {
        yield this.#understood(data.toString());
        heard();
      }
      if (goodbye.code === CLOSE.version) this.#strange(goodbye.reason);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LatstreamError) throw error;
      this.#unreachable(error instanceof Error ? error.message || String(codeOf(error)) : String(error));
    } finally {
      clearTimeout(silent);
      socket.terminate();
    }
  }

  #understood(text: string): ServerMessage {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return this.#strange('no JSON');
    }
    const { type, version } = (message ?? {}) as { readonly type?: unknown; readonly version?: unknown };
    if (typeof type !== 'string') this.#strange('a message of another form');
    if (type === 'hello' && version !== PROTOCOL_VERSION) this.#strange(`version ${String(version)}`);
    return message as ServerMessage;
  }

  *#seen(message: ServerMessage): Generator<WatchEvent> {
    if (message.type === 'hello') {
      const { name } = message.run;
      this.#run = name;
      if (message.session !== this.#session) {
        [this.#session, this.#newest] = [message.session, -1];
        yield { type: 'run', run: name, from: this.url.href, may: message.commands };
      } else yield { type: 'link', up: true, detail: this.url.href };
    }
    if (message.type === 'hello' || message.type === 'state') {
      const { state, detail = null } = message;
      this.#ending = endingOf(this.#run, state, detail);
      yield { type: 'state', run: this.#run, state, detail };
    }
    if (message.type === 'metric') {
      const metric = metricFrom(message);
      if (!metric) return;
      this.#newest = Math.max(this.#newest, metric.sequence);
      yield { type: 'metric', ...metric };
    }
    if (message.type === 'reply') this.#replies.get(message.id)?.(message.ok ? '' : message.error);
  }

  #strange(got: string): never {
    return complain({
      code: 'WATCH_PROTOCOL',
      owner: `live page ${this.url.href}`,
      expected: `a latstream page that speaks version ${PROTOCOL_VERSION}`,
      got,
      hint: 'use the latstream that the run was started with, or correct the address',
    });
  }

  #unreachable(got: string): never {
    return complain({
      code: 'WATCH_UNREACHABLE',
      owner: `live page ${this.url.href}`,
      expected: 'a page that answers',
      got,
      hint: 'latstream train says where its page is; a daemon is named by --daemon URL',
    });
  }
}

/** Undefined while it goes on. */
function endingOf(run: string, state: string, detail: string | null): Ending | undefined {
  if (state === 'failed') return { kind: 'failed', run, reason: detail ?? 'no reason given' };
  if (state !== 'done') return undefined;
  return detail === null ? { kind: 'done' } : { kind: 'stopped', run, reason: detail };
}

function codeOf(error: Error): unknown {
  return (error as NodeJS.ErrnoException).code;
}
