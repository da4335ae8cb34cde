/** @file What visitors do who mean no good, at a live page and at the daemon's API; each act ends in how it was answered. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket, type ClientOptions } from 'ws';
import { socketOf } from './watcher.js';

/** Where hostile visitors go. */
export interface Target {
  /** The live page's address, and the daemon's. */
  readonly page: string;
  readonly daemon: string;
}

/** `refused`: closed, or an error; `served`: nobody kept them from what they did; `failed`: they did not get as far. */
export type Outcome = 'refused' | 'served' | 'failed';

const PATIENCE_MILLISECONDS = 60_000;
const FLOOD_MILLISECONDS = 10_000;

/** By name. What only annoys (garbage as a message) may be answered; all else must be refused. */
export const ACTS = {
  'not JSON': ({ page }) => answered(page, ['{', '\u0000'.repeat(100), 'null', '[]', '{"type":"metric"}']),
  'flood of commands': ({ page }) => flooded(page, (socket) => socket.send(COMMAND)),
  'flood of pings': ({ page }) => flooded(page, (socket) => socket.ping('x'.repeat(125))),
  'giant message': ({ page }) => closed(page, (socket) => socket.send('x'.repeat(2 ** 20))),
  'bytes that are no frames': ({ page }) =>
    closed(page, (socket) => below(socket).write(Buffer.alloc(4096, 0xff))),
  'frame without end': ({ page }) =>
    closed(page, (socket) =>
      below(socket).write(Buffer.from([0x81, 0xff, 0x7f, ...Array<number>(11).fill(0)])),
    ),
  'another Origin': ({ page }) => handshake(page, { origin: 'http://elsewhere.example' }),
  'another Host': ({ page }) => handshake(page, { headers: { host: 'elsewhere.example' } }),
  'half a handshake': ({ page }) =>
    silent(page, 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso'),
  'half a request': ({ daemon }) => silent(daemon, 'POST /runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le'),
  'no token': ({ daemon }) => asked(daemon, '/runs', {}),
  'another token': ({ daemon }) => asked(daemon, '/runs', { authorization: `Bearer ${'x'.repeat(43)}` }),
} satisfies Readonly<Record<string, (target: Target) => Promise<Outcome>>>;
export type Act = keyof typeof ACTS;

const COMMAND = JSON.stringify({ type: 'command', id: '1', command: 'stop' });

function opened(page: string, options: ClientOptions = {}): WebSocket {
  const socket = new WebSocket(socketOf(page), options);
  socket.on('error', () => undefined); // `close` follows
  return socket;
}

/** The stream below a socket, to write into it what no client library would. */
function below(socket: WebSocket): Socket {
  return (socket as unknown as { readonly _socket: Socket })._socket;
}

/** Whether something closes in time. */
async function closes(socket: WebSocket | Socket, milliseconds = PATIENCE_MILLISECONDS): Promise<boolean> {
  const over = new AbortController();
  const closing = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
  const late = pause(milliseconds, false, { signal: over.signal }).catch(() => false);
  const isClosed = await Promise.race([closing, late]);
  over.abort();
  return isClosed;
}

async function isOpen(socket: WebSocket): Promise<boolean> {
  const closing = closes(socket).then(() => false);
  return Promise.race([once(socket, 'open').then(() => true), closing]).catch(() => false);
}

/** Says something, and expects to be closed. */
async function closed(page: string, say: (socket: WebSocket) => void): Promise<Outcome> {
  const socket = opened(page);
  if (!(await isOpen(socket))) return 'failed';
  const closing = closes(socket);
  say(socket);
  const isClosed = await closing;
  socket.terminate();
  return isClosed ? 'refused' : 'served';
}

/** Says something a thousand times a second for a few seconds. */
async function flooded(page: string, say: (socket: WebSocket) => void): Promise<Outcome> {
  const socket = opened(page);
  if (!(await isOpen(socket))) return 'failed';
  const timer = setInterval(() => {
    for (let at = 0; at < 100 && socket.readyState === socket.OPEN; at++) say(socket);
  }, 100);
  const isClosed = await closes(socket, FLOOD_MILLISECONDS);
  clearInterval(timer);
  socket.terminate();
  return isClosed ? 'refused' : 'served';
}

/** Says what means nothing; an error each is as good as being closed. */
async function answered(page: string, texts: readonly string[]): Promise<Outcome> {
  const socket = opened(page);
  if (!(await isOpen(socket))) return 'failed';
  let errors = 0;
  socket.on('message', (data: Buffer) => {
    if (data.toString().startsWith('{"type":"error"')) errors += 1;
    if (errors === texts.length) socket.close();
  });
  const closing = closes(socket);
  for (const text of texts) socket.send(text);
  const isClosed = await closing;
  socket.terminate();
  return isClosed ? 'refused' : 'served';
}

async function handshake(page: string, options: ClientOptions): Promise<Outcome> {
  const socket = opened(page, options);
  if (!(await isOpen(socket))) return 'refused';
  socket.terminate();
  return 'served';
}

/** Begins to speak, and says no more. */
async function silent(address: string, text: string): Promise<Outcome> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  socket.write(text);
  socket.resume();
  const isClosed = await closes(socket);
  socket.destroy();
  return isClosed ? 'refused' : 'served';
}

async function asked(address: string, path: string, headers: Record<string, string>): Promise<Outcome> {
  try {
    const { ok } = await fetch(new URL(path, address), { headers });
    return ok ? 'served' : 'refused';
  } catch {
    return 'failed';
  }
}
