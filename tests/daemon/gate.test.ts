/** @file Who may ask the control API for what: roles, versions, rates, noise. In this process, without runs' processes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../daemon/client.js';
import { refusal } from '../../daemon/protocol.js';
import { givenToken, tokensOf } from '../../daemon/token.js';
import { RUN_COMMANDS } from '../../daemon/transitions.js';
import { Served } from './served.js';

let served: Served;
beforeAll(async () => (served = await Served.start()));
afterAll(() => served.close());

async function ask(path: string, token: string, init: RequestInit = {}): Promise<[number, unknown, Headers]> {
  const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
  const response = await fetch(`${served.url}${path}`, { ...init, headers });
  return [response.status, await response.text(), response.headers];
}

const codeIn = (text: unknown): string => refusal.parse(JSON.parse(String(text))).error.code;

describe('a view token', () => {
  it('sees everything and changes nothing', async () => {
    const { id } = served.submit('watched');
    const { viewToken } = served;
    for (const path of [
      '/runs',
      `/runs/${id}/metrics`,
      `/runs/${id}/answers`,
      `/runs/${id}/log`,
      '/metrics.prom',
    ]) {
      const [status, , headers] = await ask(path, viewToken);
      expect([path, status, headers.get('latstream-role')]).toEqual([path, 200, 'view']);
    }
    const before = served.machine.store.all();
    const orders: readonly (readonly [method: string, path: string, body?: string])[] = [
      ...RUN_COMMANDS.map((command) => ['POST', `/runs/${id}/${command}`] as const),
      ['POST', '/runs', '{"recipe":{}}'],
      ['PATCH', `/runs/${id}`, '{"priority":9}'],
      ['PATCH', `/runs/${id}`, '{'],
    ];
    for (const [method, path, body] of orders) {
      const [status, text] = await ask(path, viewToken, { method, ...(body !== undefined && { body }) });
      expect([path, status, codeIn(text)]).toEqual([path, 403, 'DAEMON_ROLE']);
    }
    expect(served.machine.store.all()).toEqual(before);
    await expect(new Client(served.url, viewToken).command(id, 'pause')).rejects.toMatchObject({
      code: 'DAEMON_ROLE',
    });
    expect((await new Client(served.url, viewToken).runs()).map((run) => run.id)).toContain(id);
  });

  it('is not the one that controls, whose replies say so', async () => {
    const [, , headers] = await ask('/runs', served.token);
    expect(headers.get('latstream-role')).toBe('control');
    expect((await fetch(`${served.url}/healthz`)).headers.get('latstream-role')).toBeNull();
    expect(() => tokensOf('the-same-for-both', 'the-same-for-both')).toThrow(
      expect.objectContaining({ code: 'DAEMON_TOKEN_SAME' }),
    );
  });

  it('comes from its file or its variable', async () => {
    process.env['LATSTREAM_VIEW_TOKEN'] = 'a-view-token-of-sixteen';
    try {
      expect(await givenToken(undefined, 'view')).toBe('a-view-token-of-sixteen');
      expect(await givenToken(undefined)).toBeUndefined();
      await expect(givenToken('/nowhere', 'view')).rejects.toMatchObject({
        code: 'DAEMON_TOKEN_FILE',
        complaint: { owner: '--view-token-file /nowhere' },
      });
    } finally {
      delete process.env['LATSTREAM_VIEW_TOKEN'];
    }
  });
});

describe('a version', () => {
  it.each(['2', '0', 'one', '1, 2', ''])('that is not spoken is refused: %j', async (version) => {
    for (const path of ['/runs', '/healthz', '/nowhere']) {
      const [status, text, headers] = await ask(path, served.token, {
        headers: { 'latstream-control': version },
      });
      expect([status, codeIn(text)]).toEqual([400, 'DAEMON_VERSION']);
      expect(String(text)).toContain('latstream-control: 1');
      expect(headers.get('latstream-control')).toBe('1');
    }
  });

  it('may be named or not', async () => {
    expect((await ask('/runs', served.token, { headers: { 'latstream-control': '1' } }))[0]).toBe(200);
    expect((await ask('/runs', served.token))[0]).toBe(200);
  });
});

describe('who asks too much', () => {
  it('is told to wait, by a header too, and others are not', async () => {
    const few = await Served.start({ requestsPerSecond: 1 });
    try {
      const replies = [];
      for (let request = 0; request < 8; request++) replies.push(await fetch(`${few.url}/healthz`));
      const refused = replies.find(({ status }) => status === 429)!;
      expect(replies.slice(0, 5).map(({ status }) => status)).toEqual(Array<number>(5).fill(200));
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(codeIn(await refused.text())).toBe('DAEMON_RATE');
    } finally {
      await few.close();
    }
  });
});

describe('noise', () => {
  it.each([
    ['no HTTP', '\u0016\u0003\u0001 hello\r\n\r\n'],
    ['a head that is too long', `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['a broken head', 'GET /runs HTTP/1.1\r\nhost\r\n\r\n'],
    [
      'two lengths',
      'POST /runs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx',
    ],
  ])('is refused as JSON with a code: %s', async (_, bytes) => {
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
    await once(socket, 'connect');
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const over = once(socket, 'close');
    socket.end(bytes);
    await over;
    const [head, body] = said.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(codeIn(body)).toBe('DAEMON_REQUEST');
    expect((await ask('/runs', served.token))[0]).toBe(200);
  });
});
