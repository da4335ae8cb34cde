/** @file A page that goes away and comes back: nothing is seen twice, nothing is missed, and the end is the run's. */
import { afterEach, describe, expect, it } from 'vitest';
import { startMonitor, type Monitor } from '../../monitor/index.js';
import type { Metric } from '../../streams/index.js';
import type { WatchEvent } from '../../watch/event.js';
import { LivePage } from '../../watch/live-page.js';
import { COMMANDS } from '../../monitor/index.js';
import { WebSocketServer } from 'ws';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

const metric = (sequence: number): Metric => ({
  ...{ run: 'x/lat', sequence, time: 0, step: sequence, kind: 'attack', values: { loss: sequence } },
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function page(history: readonly Metric[] = [], onCommand = (): void => undefined): Promise<Monitor> {
  const monitor = await startMonitor({ port: 0, description: { name: 'x' }, history, onCommand });
  closing.push(() => monitor.close());
  return monitor;
}

const sequences = (events: readonly WatchEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'metric' ? [event.sequence] : []));

describe('a live page', () => {
  it('is seen from its beginning, asked, and left as its run ends', async () => {
    const monitor: Monitor = await page([], () => monitor.publish(metric(6)));
    for (let at = 0; at < 5; at++) monitor.publish(metric(at));
    const seen: WatchEvent[] = [];
    const source = new LivePage(new URL(monitor.url), 0);
    const events = source.events(new AbortController().signal);
    let asked: Promise<string> | undefined;
    let next = await events.next();
    for (; !next.done; next = await events.next()) {
      seen.push(next.value);
      if (next.value.type !== 'metric') continue;
      if (next.value.sequence === 4) monitor.publish(metric(5));
      if (next.value.sequence === 5) asked = source.ask('pause');
      if (next.value.sequence !== 6) continue;
      monitor.setState('failed', 'diverged [TRAIN_LOSS_NOT_FINITE]');
      void monitor.close();
    }
    expect(next.value).toEqual({ kind: 'failed', run: 'x', reason: 'diverged [TRAIN_LOSS_NOT_FINITE]' });
    expect(await asked).toBe('pause asked for');
    expect(seen[0]).toEqual({ type: 'run', run: 'x', from: monitor.url, may: COMMANDS });
    expect(sequences(seen)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('that speaks another version is said to, with those that it speaks', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    closing.push(() => server.close());
    await once(server, 'listening');
    server.on('connection', (socket, { url }) => {
      expect(url).toContain('version=1');
      socket.close(4426, 'MONITOR_VERSION: this monitor speaks version 2 and no other');
    });
    const { port } = server.address() as AddressInfo;
    const source = new LivePage(new URL(`http://127.0.0.1:${port}/`), 1e6);
    await expect(source.events(new AbortController().signal).next()).rejects.toMatchObject({
      code: 'WATCH_PROTOCOL',
      complaint: { got: 'MONITOR_VERSION: this monitor speaks version 2 and no other' },
    });
  });

  it('is gone on with after a break where it was left, or from the beginning where it is another', async () => {
    // A server that drops every connection after two metrics, and becomes another one after three connections.
    const asked: string[] = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    closing.push(() => server.close());
    await once(server, 'listening');
    server.on('connection', (socket, request) => {
      asked.push(request.url ?? '');
      const session = asked.length <= 3 ? 'one' : 'two';
      const query = new URL(request.url ?? '', 'http://x').searchParams;
      const after = query.get('session') === session ? Number(query.get('after')) : -1;
      const say = (message: object): void => socket.send(JSON.stringify(message));
      say({
        type: 'hello',
        version: 1,
        session,
        run: { name: 'x' },
        state: 'running',
        commands: [],
        next: 0,
      });
      for (let at = after + 1; at <= after + 2; at++) say({ type: 'metric', ...metric(at) });
      if (asked.length === 5) say({ type: 'state', state: 'done' });
      socket.close(1001);
    });
    const { port } = server.address() as AddressInfo;
    const seen: WatchEvent[] = [];
    const events = new LivePage(new URL(`http://127.0.0.1:${port}`), 60).events(new AbortController().signal);
    let next = await events.next();
    for (; !next.done; next = await events.next()) seen.push(next.value);
    expect(next.value).toEqual({ kind: 'done' });
    expect(asked.slice(0, 3)).toEqual([
      '/metrics?version=1',
      '/metrics?version=1&session=one&after=1',
      '/metrics?version=1&session=one&after=3',
    ]);
    expect(sequences(seen)).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3]);
    expect(seen.filter(({ type }) => type === 'run')).toHaveLength(2);
    expect(seen.filter((event) => event.type === 'link' && event.up)).toHaveLength(3);
  });

  it('that was never there, or speaks another version, is an error at once', async () => {
    const monitor = await page();
    const url = new URL(monitor.url);
    await monitor.close();
    closing.splice(0);
    await expect(new LivePage(url, 60).events(new AbortController().signal).next()).rejects.toMatchObject({
      code: 'WATCH_UNREACHABLE',
    });
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    closing.push(() => server.close());
    await once(server, 'listening');
    server.on('connection', (socket) => socket.send('{"type":"hello","version":9}'));
    const other = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(new LivePage(other, 60).events(new AbortController().signal).next()).rejects.toMatchObject({
      code: 'WATCH_PROTOCOL',
    });
  });

  it('is left at once when nobody looks any more', async () => {
    const monitor = await page([metric(0)]);
    const leave = new AbortController();
    const events = new LivePage(new URL(monitor.url), 60).events(leave.signal);
    await events.next();
    leave.abort();
    let next = await events.next();
    while (!next.done) next = await events.next();
    expect(next.value).toEqual({ kind: 'left' });
  });
});
