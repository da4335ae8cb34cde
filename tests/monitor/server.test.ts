import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LatstreamError } from '../../foundation/index.js';
import { startMonitor, type Monitor } from '../../monitor/index.js';
import { afterwards, metrics, socketUrl, start } from './helpers.js';

describe('HTTP', () => {
  const get = (monitor: Monitor, path: string, init?: RequestInit): Promise<Response> =>
    fetch(new URL(path, monitor.url), init);

  /** A request with headers that `fetch` would not let us set. */
  async function status(monitor: Monitor, path: string, headers: Record<string, string>): Promise<number> {
    const call = request(new URL(path, monitor.url), { headers }).end();
    const [response] = (await once(call, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    return response.statusCode;
  }

  it('serves the page and everything it needs from this host', async () => {
    const monitor = await start();
    const page = await (await get(monitor, '/')).text();
    const links = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1]!);
    expect(links.length).toBeGreaterThanOrEqual(3);
    for (const link of links) {
      if (link.startsWith('data:')) continue;
      expect(link.startsWith('/')).toBe(true);
      const response = await get(monitor, link);
      expect(response.status, link).toBe(200);
      const body = await response.text();
      for (const [, module] of body.matchAll(/from '([^']+)'/g)) {
        expect((await get(monitor, module!.replace(/^\.\//, '/'))).status, module).toBe(200);
      }
    }
  });

  it('tells its health as JSON', async () => {
    const monitor = await start({ history: metrics(2) });
    const health = await get(monitor, '/healthz');
    expect(health.headers.get('content-type')).toBe('application/json');
    expect(await health.json()).toMatchObject({
      status: 'ok',
      run: 'tiny',
      state: 'starting',
      next: 2,
      viewers: 0,
    });
  });

  it('serves nothing outside its list of files', async () => {
    const monitor = await start();
    for (const path of ['/nothing', '/../package.json', '/%2e%2e/package.json', '/viewer/../server.js']) {
      expect((await get(monitor, path)).status).toBe(404);
    }
    expect((await get(monitor, '/', { method: 'POST' })).status).toBe(405);
    expect((await get(monitor, '/metrics')).status).toBe(426);
  });

  it('refuses foreign Hosts and Origins with 403, for pages and sockets', async () => {
    const monitor = await start();
    const { host, port } = new URL(monitor.url);
    expect(await status(monitor, '/', { host: 'evil.example' })).toBe(403);
    expect(await status(monitor, '/healthz', { host: `evil.example:${port}` })).toBe(403);
    expect(await status(monitor, '/healthz', { host, origin: 'http://evil.example' })).toBe(403);
    expect(await status(monitor, '/healthz', { host, origin: 'null' })).toBe(403);
    expect(await status(monitor, '/healthz', { host: `localhost:${port}` })).toBe(200);
    expect(await status(monitor, '/healthz', { host: 'localhost:9000' })).toBe(200); // a forwarded port

    const attempt = async (headers: Record<string, string>, path = ''): Promise<number> => {
      const socket = new WebSocket(socketUrl(monitor) + path, { headers });
      afterwards({ close: () => socket.terminate() });
      const opened = once(socket, 'open').then(() => 101);
      const refused = once(socket, 'unexpected-response').then(([, answer]) => {
        socket.on('error', () => undefined);
        return (answer as { statusCode: number }).statusCode;
      });
      return Promise.race([opened, refused]);
    };
    expect(await attempt({ origin: `http://${host}` })).toBe(101);
    expect(await attempt({})).toBe(101);
    expect(await attempt({ origin: 'http://evil.example' })).toBe(403);
    expect(await attempt({ origin: `http://localhost:1` })).toBe(403);
    expect(await attempt({ host: 'evil.example', origin: 'http://evil.example' })).toBe(403);
    expect(await attempt({}, '/elsewhere')).toBe(404);
  });

  it('accepts further host names when told so', async () => {
    const monitor = await start({ allowedHosts: ['lat.example'] });
    expect(await status(monitor, '/healthz', { host: 'lat.example', origin: 'https://evil.example' })).toBe(
      403,
    );
    expect(await status(monitor, '/healthz', { host: 'lat.example', origin: 'https://lat.example' })).toBe(
      200,
    );
  });

  it('complains with MONITOR_PORT_IN_USE when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    afterwards(other);
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const error = await startMonitor({ port, description: { name: 'tiny' } }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(LatstreamError);
    expect((error as LatstreamError).code).toBe('MONITOR_PORT_IN_USE');
    expect((error as LatstreamError).message).toMatch(/choose another port/);
  });
});

describe('closing', () => {
  const speaking = async (monitor: Monitor, text: string): Promise<Socket> => {
    const { hostname, port } = new URL(monitor.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    afterwards({ close: () => socket.destroy() });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write(text, () => resolve()));
    return socket;
  };

  it('waits neither for the rest of a handshake nor for refused visitors to leave', async () => {
    const monitor = await startMonitor({ port: 0, description: { name: 'tiny' } });
    await speaking(monitor, 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr');
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const refused = await speaking(monitor, `GET /metrics HTTP/1.1\r\nHost: elsewhere\r\n${upgrade}`);
    refused.resume();
    await once(refused, 'end');
    await monitor.close();
  });
});
