/** @file As much of S3 as latstream asks for, in memory: PUT, GET, list and delete of objects, for one bucket. Checks no signatures, but wants them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

const PAGE = 3;

export class S3Server {
  readonly objects = new Map<string, Buffer>();
  /** Answers with this status instead. */
  broken: number | undefined;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  private constructor() {}

  static async start(): Promise<S3Server> {
    const made = new S3Server();
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const [status, content] = this.#replyTo(request, body);
    response.writeHead(status, { 'content-type': 'application/xml' }).end(content);
  }

  #replyTo(request: IncomingMessage, body: Buffer): [status: number, content: Buffer | string] {
    const url = new URL(request.url ?? '/', this.url);
    const key = decodeURIComponent(url.pathname).replace(/^\/bucket\/?/, '');
    const signed = /^AWS4-HMAC-SHA256 Credential=key\//.test(request.headers.authorization ?? '');
    if (!signed) return [403, error('AccessDenied')];
    if (this.broken !== undefined) return [this.broken, error('InternalError')];
    if (request.method === 'PUT') {
      this.objects.set(key, body);
      return [200, ''];
    }
    if (request.method === 'POST' && url.searchParams.has('delete')) {
      for (const [, name = ''] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) this.objects.delete(name);
      return [200, '<DeleteResult/>'];
    }
    if (request.method === 'GET' && url.searchParams.get('list-type') === '2') return [200, this.#list(url)];
    const found = this.objects.get(key);
    return found ? [200, found] : [404, error('NoSuchKey')];
  }

  #list({ searchParams }: URL): string {
    const prefix = searchParams.get('prefix') ?? '';
    const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix)).sort();
    const begin = Number(searchParams.get('continuation-token') ?? 0);
    const contents = names
      .slice(begin, begin + PAGE)
      .map((name) => `<Contents><Key>${name}</Key></Contents>`);
    const more = begin + PAGE < names.length;
    const next = more ? `<NextContinuationToken>${begin + PAGE}</NextContinuationToken>` : '';
    return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`;
  }
}

function error(code: string): string {
  return `<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
}
