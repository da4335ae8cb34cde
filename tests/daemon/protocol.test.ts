/** @file Every message of the control API, both ways, over the whole life of a run; and whatever else anybody may send. */
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../daemon/client.js';
import type { RunView } from '../../daemon/protocol.js';
import { loadRecipe } from '../../recipes/index.js';
import { demoMetrics } from '../monitor/demo.js';
import { MESSAGES, refusalIn } from './messages.js';
import { Served } from './served.js';

let served: Served;
let client: Client;
beforeEach(async () => {
  served = await Served.start();
  client = new Client(served.url, served.token);
});
afterEach(() => served.close());

const documented = readFileSync('docs/protocol.md', 'utf8');

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function send({ method, path, headers, body }: Sent): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body));
    const options = { method, path, headers: { ...headers, 'content-length': length }, agent: false };
    const sent = httpRequest(served.url, options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    sent.on('error', reject).end(body);
  });
}

const get = (path: string): Promise<[number, string]> =>
  send({ method: 'GET', path, headers: { authorization: `Bearer ${served.token}` }, body: '' });

describe('over the whole life of a run', () => {
  it('every message is one of the protocol, and each of the protocol comes', async () => {
    const { machine } = served;
    const recipe = await loadRecipe('tiny');
    const run = await client.submit({ recipe, key: 'one', labels: { who: 'me' }, priority: 2 });
    expect((await client.submit({ recipe, key: 'one' })).id).toBe(run.id);
    const now = async (): Promise<RunView> => (await client.runs()).find(({ id }) => id === run.id)!;
    const { directory } = machine.store.find(run.id);
    const other = served.submit('other', demoMetrics(3)); // makes its directory
    writeFileSync(join(other.directory, 'torn'), '');
    served.process(run.id).listener.metric({
      ...{ run: 'tiny/lat', sequence: 0, time: 1, step: 1, kind: 'progress', values: { steps: 4 } },
    });
    expect((await now()).live?.progress).toMatchObject({ step: 1 });
    served.process(run.id).listener.note('begins');
    await client.change(run.id, { priority: 3, settings: { epsilon: 1, learningRate: 0, evaluateEvery: 0 } });
    expect(directory).toContain(run.id);
    for (const id of [run.id, other.id])
      for (const what of [
        'metrics',
        'metrics?points=2&after=x',
        'answers?index=1',
        'evaluation',
        'log',
        'files',
      ])
        expect((await get(`/runs/${id}/${what}`))[0], what).toBe(200);
    expect((await get(`/runs/${run.id}/description`))[0]).toBe(200);
    expect(await get(`/runs/${other.id}/files/torn`)).toEqual([200, '']);
    const end = async (...[ending]: Parameters<ReturnType<Served['process']>['end']>): Promise<void> => {
      served.process(run.id).end(ending);
      await machine.settle();
    };
    await client.command(run.id, 'pause');
    expect(await now()).toMatchObject({ state: 'stopping', goal: 'paused' });
    await end({ kind: 'save' });
    await client.command(run.id, 'resume');
    await client.command(run.id, 'stop');
    await end({ kind: 'save' });
    await client.command(run.id, 'resume');
    await end({ kind: 'die', reason: 'killed' });
    expect(await now()).toMatchObject({ state: 'failed', reason: 'killed' });
    await client.command(run.id, 'resume');
    await end({ kind: 'finish' });
    await expect(client.command(run.id, 'cancel')).rejects.toMatchObject({ code: 'DAEMON_RUN_STATE' });
    await client.command(other.id, 'cancel');
    expect(await client.workers()).toMatchObject([{ parallel: 2, runs: [], here: true, pid: process.pid }]);
    await client.submit({ recipe, labels: { sweep: 'grid', cell: 'digest', seed: '0' } });
    for (const path of ['/healthz', '/readyz', '/metrics.prom', '/sweeps/grid', '/sweeps/grid?arm=lat'])
      expect((await get(path))[0]).toBe(200);
    expect([...served.asked].sort()).toEqual(Object.keys(MESSAGES).sort());
  });
});

const id = fc.constantFrom('x', 'nobody', '..', '%00', 'é', '');
const path = fc.oneof(
  fc.constantFrom('/', '/runs', '/healthz', '/metrics.prom', '/nowhere', '//', '/runs?x', '*', '/%'),
  fc
    .tuple(
      id,
      fc.constantFrom(
        '',
        '/pause',
        '/metrics',
        '/answers',
        '/log',
        '/description',
        '/evaluation',
        '/x',
        '/files',
        '/files/%2e%2e%2fx',
        '/files/%',
        '/files/../x',
      ),
    )
    .map(([name, what]) => `/runs/${encodeURI(name)}${what}`),
  fc
    .tuple(fc.constantFrom('points', 'after', 'index', '__proto__'), fc.string())
    .map(([name, value]) => `/runs/ID/metrics?${name}=${encodeURI(JSON.stringify(value).slice(1, -1))}`),
);
const nearly = fc.record(
  {
    recipe: fc.oneof(fc.object(), fc.constant({ name: 'x' })),
    name: fc.oneof(fc.string(), fc.integer()),
    priority: fc.double(),
    labels: fc.anything(),
    key: fc.anything(),
    settings: fc.oneof(fc.object(), fc.record({ epsilon: fc.double() })),
  },
  { requiredKeys: [] },
);
const sent = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PUT'),
  path,
  headers: fc.record(
    {
      authorization: fc.constantFrom('Bearer CONTROL', 'Bearer VIEW', 'Bearer', 'Basic x', ''),
      'latstream-control': fc.constantFrom('1', '2', 'x'),
      'content-type': fc.constantFrom('application/json', 'text/html'),
      origin: fc.constantFrom('null', 'http://evil.example', 'x'),
    },
    { requiredKeys: ['authorization'] },
  ),
  body: fc.oneof(
    fc.string(),
    fc.json(),
    nearly.map((value) => {
      try {
        return JSON.stringify(value);
      } catch {
        return '{';
      }
    }),
  ),
});

describe('whatever anybody sends', () => {
  it('is answered: with what was asked for, or with a documented code', async () => {
    const run = served.submit('x').id;
    await fc.assert(
      fc.asyncProperty(sent, async (garbage) => {
        const authorization = garbage.headers.authorization
          .replace('CONTROL', served.token)
          .replace('VIEW', served.viewToken);
        const headers: Record<string, string> = { ...garbage.headers, authorization };
        const [status, text] = await send({ ...garbage, path: garbage.path.replace('ID', run), headers });
        if (garbage.method === 'HEAD') expect(status).toBeGreaterThanOrEqual(400);
        else if (status >= 400) {
          const { code } = refusalIn(text).error;
          expect(code).not.toBe('INTERNAL');
          expect(documented).toContain(`\`${code}`);
        }
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
    expect((await get('/runs'))[0]).toBe(200);
  });

  it('even where it is no HTTP', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string().map((text) => Buffer.from(`GET ${text} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)),
      fc.string().map((text) => Buffer.from(`POST /runs HTTP/1.1\r\n${text}\r\n\r\n`)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (noise) => {
        const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
        await once(socket, 'connect');
        let said = '';
        socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
        socket.on('error', () => undefined);
        const over = once(socket, 'close');
        socket.end(noise);
        await over;
        if (said === '') return; // nothing was asked
        const [head = '', body = ''] = said.split('\r\n\r\n');
        expect(head).toMatch(/^HTTP\/1\.1 4\d\d /);
        expect(documented).toContain(`\`${refusalIn(body).error.code}`);
      }),
      { numRuns: 200 },
    );
    expect((await get('/runs'))[0]).toBe(200);
  });
});
