/** @file The control API as its clients see it. Every reply is held to the schema that the server's views are typed by. */
import { z } from 'zod';
import { complain, LatstreamError, parseJson } from '../foundation/index.js';
import { exchange, streamed, whole, type Answered, type Asked } from './exchange.js';
import {
  CONTROL_VERSION,
  evaluationsView,
  filesView,
  metricsView,
  refusal,
  runList,
  runView,
  VERSION_HEADER,
  workerList,
  type Change,
  type EvaluationsView,
  type FilesView,
  type MetricsView,
  type RunView,
  type Submission,
  type WorkerView,
} from './protocol.js';
import type { RunCommand } from './transitions.js';

const LONGEST_WAIT_MILLISECONDS = 30_000;
const LONGEST_DIGESTING_MILLISECONDS = 1_800_000;

/**
 * Speaks to one daemon. Every method throws DAEMON_UNREACHABLE, DAEMON_CERTIFICATE, DAEMON_PROTOCOL, and what the daemon
 * refuses with.
 */
export class Client {
  /** @param ca certificates of authorities in PEM, instead of those that this machine trusts */
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly ca?: string,
  ) {}

  async runs(): Promise<RunView[]> {
    return (await this.#ask(runList, 'GET', '/runs')).runs;
  }

  async workers(): Promise<WorkerView[]> {
    return (await this.#ask(workerList, 'GET', '/workers')).workers;
  }

  /** What was measured behind a place: `next` of the answer before, or empty. */
  metrics(id: string, after: string): Promise<MetricsView> {
    const query = new URLSearchParams({ after }).toString();
    return this.#ask(metricsView, 'GET', `/runs/${encodeURIComponent(id)}/metrics?${query}`);
  }

  submit(body: Submission): Promise<RunView> {
    return this.#ask(runView, 'POST', '/runs', body);
  }

  command(id: string, command: RunCommand): Promise<RunView> {
    return this.#ask(runView, 'POST', `/runs/${encodeURIComponent(id)}/${command}`);
  }

  change(id: string, change: Change): Promise<RunView> {
    return this.#ask(runView, 'PATCH', `/runs/${encodeURIComponent(id)}`, change);
  }

  /** What has been evaluated of a run so far. */
  evaluations(id: string): Promise<EvaluationsView> {
    return this.#ask(evaluationsView, 'GET', `/runs/${encodeURIComponent(id)}/evaluation`);
  }

  /** What of a run's directory can be had, with digests: those of a large run take a while. */
  files(id: string, signal?: AbortSignal): Promise<FilesView> {
    const patience = AbortSignal.any([
      AbortSignal.timeout(LONGEST_DIGESTING_MILLISECONDS),
      ...(signal ? [signal] : []),
    ]);
    return this.#ask(filesView, 'GET', `/runs/${encodeURIComponent(id)}/files`, undefined, patience);
  }

  /** The bytes of one of them. @param name as `files` has it */
  async file(id: string, name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const place = name.split('/').map(encodeURIComponent).join('/');
    const url = this.#at(`/runs/${encodeURIComponent(id)}/files/${place}`);
    const reply = await streamed(url, this.#asked('GET', undefined, signal)).catch((error: unknown) =>
      unreachable(this.url, error),
    );
    if (reply.statusCode !== 200) return this.#said(z.never(), await whole(reply, url));
    this.#refuseVersion(reply.headers);
    return this.#read(reply as AsyncIterable<Uint8Array>);
  }

  async *#read(reply: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* reply;
    } catch (error) {
      unreachable(this.url, error);
    }
  }

  async #ask<T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    body?: unknown,
    signal = AbortSignal.timeout(LONGEST_WAIT_MILLISECONDS),
  ): Promise<T> {
    const asked = this.#asked(method, body, signal);
    const answered = await exchange(this.#at(path), asked).catch((error: unknown) =>
      unreachable(this.url, error),
    );
    return this.#said(schema, answered);
  }

  #asked(method: string, body: unknown, signal: AbortSignal): Asked {
    return {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        'content-type': 'application/json',
        [VERSION_HEADER]: String(CONTROL_VERSION),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      ca: this.ca,
      signal,
    };
  }

  #said<T>(schema: z.ZodType<T>, { status, headers, text }: Answered): T {
    this.#refuseVersion(headers);
    const content = jsonIn(text);
    const said = refusal.safeParse(content);
    if (status >= 400 && said.success) throw new LatstreamError(said.data.error);
    const result = schema.safeParse(content);
    if (status < 300 && result.success) return result.data;
    return this.#strange(`status ${status} with a reply of another form`);
  }

  #refuseVersion({ [VERSION_HEADER]: version = 'unknown' }: Answered['headers']): void {
    if (version !== String(CONTROL_VERSION)) this.#strange(`version ${String(version)}`);
  }

  /** Behind whatever path a proxy has it. */
  #at(path: string): URL {
    return new URL(`.${path}`, `${this.url.replace(/\/+$/, '')}/`);
  }

  #strange(got: string): never {
    return complain({
      code: 'DAEMON_PROTOCOL',
      owner: `daemon ${this.url}`,
      expected: `a latstream daemon that speaks version ${CONTROL_VERSION}`,
      got,
      hint: 'use the latstream that the daemon was started with, or correct --daemon',
    });
  }
}

/** Of TLS, as OpenSSL and Node name what is wrong with a certificate. */
const UNTRUSTED = /CERT|SIGN|VERIFY|ISSUER|ALTNAME/;

/** @param where the address, or where it was looked for */
export function unreachable(where: string, cause?: unknown): never {
  if (cause instanceof LatstreamError) throw cause;
  const reason = (cause as { code?: unknown } | undefined)?.code;
  const got = typeof reason === 'string' ? reason : 'no answer';
  const owner = `daemon ${where}`;
  if (UNTRUSTED.test(got))
    complain(
      {
        ...{ code: 'DAEMON_CERTIFICATE', owner, expected: 'a certificate that this machine trusts', got },
        hint: 'name its authority by --ca FILE or NODE_EXTRA_CA_CERTS, and the daemon by a name that is in it',
      },
      { cause },
    );
  return complain(
    {
      ...{ code: 'DAEMON_UNREACHABLE', owner, expected: 'a daemon that answers', got },
      hint: 'start one with latstream daemon, or name it by --daemon URL or --state DIR',
    },
    { cause },
  );
}

function jsonIn(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
