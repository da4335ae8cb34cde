/** @file A server on loopback that plays the hub and, at another origin, the place it redirects to; it can misbehave. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly host: 'hub' | 'cdn';
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** A file: large ones (`lfs`) lie at the other origin, under their SHA-256. */
export interface Held {
  readonly content: Uint8Array;
  readonly lfs?: boolean;
}

/** What goes wrong with the next requests whose `host path` fits. */
export interface Fault {
  readonly on: RegExp;
  readonly times?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Breaks the connection after so many bytes of the body. */
  readonly cut?: number;
  /** Falls silent after so many bytes of the body. */
  readonly hang?: number;
  /** Never answers. */
  readonly silent?: boolean;
}

export class HubServer {
  readonly asked: Asked[] = [];
  readonly faults: Fault[] = [];
  /** Whether ranges are answered as such. */
  ranges = true;
  /** By `models/ORG/NAME` or `datasets/ORG/NAME`, then path. */
  readonly repositories = new Map<string, Map<string, Held>>();
  /** Plain files of the other origin, by path. */
  readonly plain = new Map<string, Held & { readonly etag?: string; readonly length?: number | 'unsaid' }>();
  /** What every revision but a commit means. */
  commit = 'c0ffee'.padEnd(40, '0');
  private readonly servers: Record<'hub' | 'cdn', Server>;
  private readonly used = new Map<Fault, number>();

  private constructor() {
    const server = (host: 'hub' | 'cdn'): Server =>
      createServer((request, response) => this.serve(host, request, response));
    this.servers = { hub: server('hub'), cdn: server('cdn') };
  }

  static async start(): Promise<HubServer> {
    const hub = new HubServer();
    for (const server of Object.values(hub.servers)) {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      onTestFinished(async () => {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      });
    }
    return hub;
  }

  origin(host: 'hub' | 'cdn' = 'hub'): string {
    return `http://127.0.0.1:${(this.servers[host].address() as AddressInfo).port}`;
  }

  /** A repository of texts (in git) and bytes (large). */
  repository(name: string, files: Readonly<Record<string, string | Uint8Array>>): void {
    const held = Object.entries(files).map(([path, content]): [string, Held] =>
      typeof content === 'string'
        ? [path, { content: Buffer.from(content) }]
        : [path, { content, lfs: true }],
    );
    this.repositories.set(name, new Map(held));
  }

  /** Bytes of a file that were asked for at its place, one number for each request. */
  bytesAsked(part: string): number[] {
    return this.asked
      .filter(({ host, path, range }) => host === 'cdn' && path.includes(part) && range !== undefined)
      .map(({ range }) => {
        const [, from = 0, to = 0] = (/bytes=(\d+)-(\d+)/.exec(range ?? '') ?? []).map(Number);
        return to - from + 1;
      });
  }

  /** Waits for something that a child process does. */
  async until(is: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await is())) await new Promise((look) => setTimeout(look, 20));
  }

  private serve(host: 'hub' | 'cdn', request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '/').replace(/%2F/g, '%252F'));
    const { range, authorization } = request.headers;
    this.asked.push({ host, method: request.method ?? '', path, range, authorization });
    const fault = this.faults.find((each) => each.on.test(`${host} ${path}`) && this.isDue(each));
    if (fault?.silent) return;
    if (fault?.status !== undefined) {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
      return;
    }
    request.resume();
    if (host === 'cdn') this.serveContent(request, response, this.contentAt(path), fault);
    else this.serveHub(request, response, path, fault);
  }

  private isDue(fault: Fault): boolean {
    const used = this.used.get(fault) ?? 0;
    this.used.set(fault, used + 1);
    return used < (fault.times ?? Infinity);
  }

  private contentAt(path: string): (Held & { etag?: string; length?: number | 'unsaid' }) | undefined {
    const digest = /^\/lfs\/(\w+)/.exec(path)?.[1];
    if (digest === undefined) return this.plain.get(path);
    const all = [...this.repositories.values()].flatMap((files) => [...files.values()]);
    return all.find((held) => sha256(held.content) === digest);
  }

  private serveHub(request: IncomingMessage, response: ServerResponse, path: string, fault?: Fault): void {
    const api = /^\/api\/((?:models|datasets)\/[^/]+(?:\/[^/]+)?)\/(revision|tree|paths-info)\/([^/?]+)/.exec(
      path,
    );
    if (api) {
      const files = this.repositories.get(api[1] ?? '');
      if (!files) {
        absent(response, 'RepoNotFound');
        return;
      }
      const json = (value: unknown): void => void response.end(JSON.stringify(value));
      response.setHeader('content-type', 'application/json');
      if (api[2] === 'revision') {
        json({ _id: '1', id: api[1], sha: this.shaOf(api[3] ?? '') });
        return;
      }
      const recursive = path.includes('recursive=true');
      if (api[2] === 'tree') {
        json(listing(files, recursive));
        return;
      }
      const body: Buffer[] = [];
      request.on('data', (chunk: Buffer) => body.push(chunk));
      request.on('end', () => {
        const { paths } = JSON.parse(Buffer.concat(body).toString()) as { paths: string[] };
        json(listing(files, true).filter((entry) => paths.includes(entry.path)));
      });
      return;
    }
    const resolve = /^\/(datasets\/)?([^?]+?)\/resolve\/([^/]+)\/([^?]+)/.exec(path);
    const held = this.repositories
      .get(`${resolve?.[1] ?? 'models/'}${resolve?.[2] ?? ''}`)
      ?.get(resolve?.[4] ?? '');
    if (!resolve || !held) {
      absent(response, 'EntryNotFound');
      return;
    }
    response.setHeader('x-repo-commit', this.shaOf(resolve[3] ?? ''));
    if (!held.lfs) {
      this.serveContent(request, response, { ...held, etag: `"${gitSha1(held.content)}"` }, fault);
      return;
    }
    const digest = sha256(held.content);
    response.setHeader('x-linked-etag', `"${digest}"`).setHeader('x-linked-size', held.content.length);
    response.writeHead(302, { location: `${this.origin('cdn')}/lfs/${digest}?signature=1` }).end();
  }

  private shaOf(revision: string): string {
    return /^[0-9a-f]{40}$/.test(revision) ? revision : this.commit;
  }

  private serveContent(
    request: IncomingMessage,
    response: ServerResponse,
    held: (Held & { etag?: string; length?: number | 'unsaid' }) | undefined,
    fault?: Fault,
  ): void {
    if (!held) {
      absent(response, 'EntryNotFound');
      return;
    }
    const { content } = held;
    const etag = held.etag ?? `"cdn-${sha256(content).slice(0, 16)}"`;
    const [, from = 0, to = 0] = (/bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []).map(Number);
    const condition = request.headers['if-range'];
    const ranged =
      this.ranges && request.headers.range !== undefined && (condition === undefined || condition === etag);
    if (ranged && from >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const end = ranged ? Math.min(content.length, to + 1) : content.length;
    const body = content.subarray(ranged ? from : 0, end);
    if (ranged) response.setHeader('content-range', `bytes ${from}-${end - 1}/${content.length}`);
    const length = held.length ?? body.length;
    response.writeHead(ranged ? 206 : 200, {
      etag,
      ...(length !== 'unsaid' && { 'content-length': length }),
    });
    if (fault?.cut !== undefined) response.write(body.subarray(0, fault.cut), () => response.destroy());
    else if (fault?.hang !== undefined) response.write(body.subarray(0, fault.hang));
    else response.end(body);
  }
}

function listing(
  files: ReadonlyMap<string, Held>,
  recursive: boolean,
): { type: string; path: string; size: number; oid: string; lfs?: object }[] {
  return [...files]
    .filter(([path]) => recursive || !path.includes('/') || path.startsWith('..'))
    .map(([path, { content, lfs }]) => ({
      type: 'file',
      path,
      size: content.length,
      oid: gitSha1(content),
      ...(lfs && { lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } }),
    }));
}

function absent(response: ServerResponse, code: string): void {
  response.writeHead(code === 'RepoNotFound' ? 401 : 404, { 'x-error-code': code }).end();
}

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function gitSha1(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}
