/** @file A viewer for tests: connects, holds every message in both directions to its schema, keeps every message, and waits for the one it is told to wait for. And what else tests of the monitor share. */
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { afterEach } from 'vitest';
import { WebSocket } from 'ws';
import {
  serverMessage,
  startMonitor,
  viewerMessage,
  type Monitor,
  type MonitorOptions,
  type ServerMessage,
  type ViewerMessage,
} from '../../monitor/index.js';
import type { Metric } from '../../streams/index.js';

export type MetricMessage = Extract<ServerMessage, { type: 'metric' }>;

export class TestViewer {
  readonly messages: ServerMessage[] = [];
  #changed: () => void = () => undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.messages.push(messageIn(data.toString()));
      this.#changed();
    });
    socket.on('close', () => this.#changed());
    socket.on('error', () => undefined);
  }

  static async open(monitor: Monitor, query = '', headers: Record<string, string> = {}): Promise<TestViewer> {
    const viewer = new TestViewer(new WebSocket(`${socketUrl(monitor)}${query}`, { headers }));
    await once(viewer.socket, 'open');
    return viewer;
  }

  get metrics(): MetricMessage[] {
    return this.messages.filter((message) => message.type === 'metric');
  }

  /** Resolves when `done` holds for what has arrived. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the connection was closed');
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  async untilLive(): Promise<void> {
    await this.until(() => this.messages.some(({ type }) => type === 'live'));
  }

  say(message: ViewerMessage): void {
    this.socket.send(JSON.stringify(viewerMessage.parse(message)));
  }

  /** The reply to what it said under this id. */
  async reply(id: string): Promise<ServerMessage> {
    const found = (): ServerMessage | undefined =>
      this.messages.find((message) => message.type === 'reply' && message.id === id);
    await this.until(() => found() !== undefined);
    return found()!;
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Of a schema that has every key of it: what is not documented is an error here. */
export function messageIn(text: string): ServerMessage {
  const json: unknown = JSON.parse(text);
  const message = serverMessage.parse(json);
  if (!isDeepStrictEqual(message, json)) throw new Error(`keys that no schema has: ${text}`);
  return message;
}

export function socketUrl(monitor: Monitor): string {
  return monitor.url.replace('http', 'ws') + 'metrics';
}

export function metricAt(sequence: number, overlay: Partial<Metric> = {}): Metric {
  return {
    run: 'tiny/lat',
    sequence,
    time: 1_700_000_000_000 + sequence,
    step: sequence,
    kind: 'defend',
    values: { loss: 1 / (sequence + 1) },
    ...overlay,
  };
}

export function metrics(count: number, overlay: Partial<Metric> = {}): Metric[] {
  return Array.from({ length: count }, (_, sequence) => metricAt(sequence, overlay));
}

const opened: { close(): unknown }[] = [];

/** Closes something when the running test is over. */
export function afterwards(each: { close(): unknown }): void {
  opened.push(each);
}

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

export async function start(options: Partial<MonitorOptions> = {}): Promise<Monitor> {
  const monitor = await startMonitor({ port: 0, description: { name: 'tiny', seed: 7 }, ...options });
  afterwards(monitor);
  return monitor;
}

export async function view(monitor: Monitor, query?: string): Promise<TestViewer> {
  const viewer = await TestViewer.open(monitor, query);
  afterwards(viewer);
  return viewer;
}
