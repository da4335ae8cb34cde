/** @file Whoever is told by webhooks: on a port of this machine, answers as it is told, and keeps what it gets. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: {
    readonly id: string;
    readonly type: string;
    readonly data: { readonly run: Record<string, unknown>; readonly measured?: unknown };
  };
}

export class Receiver {
  readonly received: Received[] = [];
  #waiting: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param answers the status of each request; 0 never answers; the last one counts for all that follow */
  static async start(answers: readonly number[]): Promise<Receiver> {
    const hear: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const status = answers[Math.min(receiver.received.length, answers.length - 1)]!;
        const body = JSON.parse(text) as Received['body'];
        receiver.received.push({ headers: request.headers, text, body });
        if (status > 0) response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
        for (const wake of receiver.#waiting.splice(0)) wake();
      });
    };
    const server = createServer(hear).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const receiver = new Receiver(server, `http://127.0.0.1:${port}/hook`);
    return receiver;
  }

  async has(count: number): Promise<Received[]> {
    while (this.received.length < count) await new Promise<void>((wake) => this.#waiting.push(wake));
    return this.received;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export const typesOf = (received: readonly Received[]): string[] => received.map(({ body }) => body.type);
