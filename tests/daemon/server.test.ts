/** @file The control API: who may ask, what is refused and how, and what clients get. In this process, without runs' processes. */
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../daemon/client.js';
import { newIdentity } from '../../daemon/identity.js';
import { LocalQueue } from '../../daemon/local-queue.js';
import { figuresOf } from '../../daemon/prometheus.js';
import { LONGEST_BODY } from '../../daemon/protocol.js';
import { routesOf } from '../../daemon/routes.js';
import { startServer, type ControlServer } from '../../daemon/server.js';
import { Tail } from '../../daemon/tail.js';
import { startDaemon } from '../../daemon/daemon.js';
import { loadRecipe } from '../../recipes/index.js';
import { Machine } from './helpers.js';

const TOKEN = 'a token of sixteen'.replaceAll(' ', '-');
let machine: Machine;
let server: ControlServer;
let client: Client;

beforeAll(async () => {
  machine = new Machine();
  const { supervisor, store } = machine;
  const tail = new Tail(() => undefined);
  const queue = new LocalQueue({ supervisor, store, tail, identity: newIdentity('0') });
  server = await startServer({
    ...{ host: '127.0.0.1', port: 0, allowedHosts: [], log: () => undefined, requestsPerSecond: 1e6 },
    tokens: { control: TOKEN, view: `view-${TOKEN}` },
    routes: routesOf(queue, figuresOf(queue), () => queue.ready),
  });
  client = new Client(server.url, TOKEN);
});
afterAll(async () => {
  await server.close();
  machine.remove();
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as anybody may send it: `fetch` would not let us choose Host and Origin. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${server.url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    sent.on('error', reject).end(body);
  });
}

const authorization = `Bearer ${TOKEN}`;
const codeIn = (text: string): unknown => (JSON.parse(text) as { error: { code: unknown } }).error.code;

describe('the control API', () => {
  it('takes a run, lists it, moves it and shows its figures', async () => {
    const recipe = await loadRecipe('tiny');
    const first = await client.submit({ recipe });
    expect(first).toMatchObject({ name: 'tiny', state: 'running', priority: 0 });
    expect(first.live?.page).toBe('http://127.0.0.1:1/');
    const second = await client.submit({ recipe, name: 'other', priority: 3 });
    expect(second).toMatchObject({ name: 'other', state: 'queued', live: null });
    expect(await client.change(second.id, { priority: 7 })).toMatchObject({ priority: 7, asked: {} });
    expect(await client.change(first.id, { settings: { epsilon: 2 } })).toMatchObject({
      asked: { epsilon: 2 },
    });
    expect(machine.alive[0]!.asked).toEqual({ epsilon: 2 });
    expect(await client.command(first.id, 'pause')).toMatchObject({ state: 'stopping', goal: 'paused' });
    machine.alive[0]!.end({ kind: 'save' });
    await machine.settle();
    expect((await client.runs()).map(({ state }) => state)).toEqual(['paused', 'running']);
    const [status, figures] = await ask('/metrics.prom', { headers: { authorization } });
    expect(status).toBe(200);
    expect(figures).toContain('latstream_runs{state="paused"} 1');
    expect(figures).toMatch(/process_resident_memory_bytes \d+/);
    await expect(client.command(second.id, 'resume')).rejects.toMatchObject({ code: 'DAEMON_RUN_STATE' });
    await expect(client.command('nobody', 'stop')).rejects.toMatchObject({ code: 'DAEMON_RUN_UNKNOWN' });
    await expect(client.submit({ recipe: { ...recipe, steps: 0 } })).rejects.toMatchObject({
      code: 'RECIPE_INVALID',
    });
  });

  it('makes one run of what is submitted again with its key, and keeps its labels', async () => {
    const recipe = await loadRecipe('tiny');
    const labels = { sweep: 'radii', epsilon: '0.5' };
    const before = machine.store.all().length;
    const first = await client.submit({ recipe, labels, key: 'radii:1' });
    expect(first).toMatchObject({ labels });
    const again = await Promise.all([1, 2].map(() => client.submit({ recipe, key: 'radii:1' })));
    expect(again.map(({ id }) => id)).toEqual([first.id, first.id]);
    expect(machine.store.all()).toHaveLength(before + 1);
    const other = client.submit({ recipe: { ...recipe, seed: 9 }, key: 'radii:1' });
    await expect(other).rejects.toMatchObject({ code: 'DAEMON_RUN_KEY' });
    expect((await client.submit({ recipe, key: 'radii:2' })).labels).toEqual({});
    expect(machine.store.find(first.id).labels).toBe(JSON.stringify(labels));
  });

  it('tells anybody that it is well, and nothing else without its token', async () => {
    expect((await ask('/healthz'))[0]).toBe(200);
    expect((await ask('/readyz'))[0]).toBe(200);
    for (const wrong of [{}, { authorization: 'Bearer no' }, { authorization: `Basic ${TOKEN}` }])
      for (const path of ['/runs', '/metrics.prom', '/nowhere', '/runs/x/cancel']) {
        const [status, text] = await ask(path, { headers: wrong });
        expect([status, codeIn(text)]).toEqual([401, 'DAEMON_UNAUTHORIZED']);
      }
  });

  it.each<[string, string, Asked, number, string]>([
    [
      "another site's page",
      '/healthz',
      { headers: { origin: 'http://evil.example' } },
      403,
      'DAEMON_FORBIDDEN',
    ],
    ['another name of this address', '/runs', { headers: { host: 'evil.example' } }, 403, 'DAEMON_FORBIDDEN'],
    ['an unknown path', '/nowhere', {}, 404, 'DAEMON_NO_ROUTE'],
    ['another method', '/runs', { method: 'DELETE' }, 405, 'DAEMON_METHOD'],
    ['no JSON', '/runs', { method: 'POST', body: '{' }, 400, 'DAEMON_REQUEST'],
    ['no body', '/runs', { method: 'POST' }, 400, 'DAEMON_REQUEST'],
    ['unknown keys', '/runs', { method: 'POST', body: '{"recipe":{},"x":1}' }, 400, 'DAEMON_REQUEST'],
    [
      'a name that is a path',
      '/runs',
      { method: 'POST', body: '{"recipe":{},"name":"../x"}' },
      400,
      'DAEMON_REQUEST',
    ],
    [
      'a label that is no name',
      '/runs',
      { method: 'POST', body: '{"recipe":{},"labels":{"a b":"c"}}' },
      400,
      'DAEMON_REQUEST',
    ],
    [
      'many labels',
      '/runs',
      {
        method: 'POST',
        body: JSON.stringify({
          recipe: {},
          labels: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`l${at}`, 'x'])),
        }),
      },
      400,
      'DAEMON_REQUEST',
    ],
    ['an empty key', '/runs', { method: 'POST', body: '{"recipe":{},"key":""}' }, 400, 'DAEMON_REQUEST'],
    ['no recipe', '/runs', { method: 'POST', body: '{"recipe":{}}' }, 400, 'RECIPE_INVALID'],
    ['deep JSON', '/runs', { method: 'POST', body: '['.repeat(100_000) }, 400, 'DAEMON_REQUEST'],
    ['a long body', '/runs', { method: 'POST', body: ' '.repeat(LONGEST_BODY + 1) }, 413, 'DAEMON_BODY'],
  ])('refuses %s with a code', async (_, path, asked, status, code) => {
    const before = machine.store.all();
    const [got, text] = await ask(path, { ...asked, headers: { authorization, ...asked.headers } });
    expect([got, codeIn(text)]).toEqual([status, code]);
    expect(machine.store.all()).toEqual(before);
  });
});

describe('a client', () => {
  it('says when no daemon answers, or something else does', async () => {
    await expect(new Client('http://127.0.0.1:1', TOKEN).runs()).rejects.toMatchObject({
      code: 'DAEMON_UNREACHABLE',
    });
    await expect(new Client(server.url, 'another').runs()).rejects.toMatchObject({
      code: 'DAEMON_UNAUTHORIZED',
    });
  });
});

describe('a daemon', () => {
  it('does not listen where others can reach it without a token', async () => {
    const nothing = { state: '/nowhere', runs: '/nowhere', port: 0, allowedHosts: [], parallel: 1 };
    const open = startDaemon({
      ...{ ...nothing, host: '0.0.0.0', token: undefined, log: () => undefined, version: '0' },
      launch: () => expect.unreachable(),
    });
    await expect(open).rejects.toMatchObject({ code: 'DAEMON_TOKEN_MISSING' });
  });
});
