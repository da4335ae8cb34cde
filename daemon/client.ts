/** @file The control API as its clients see it. Every reply is held to the schema that the server's views are typed by. */
import { z } from 'zod';
import { complain, LatstreamError } from '../foundation/index.js';
import {
  CONTROL_VERSION,
  evaluationsView,
  refusal,
  runList,
  runView,
  VERSION_HEADER,
  type Change,
  type EvaluationsView,
  type RunView,
  type Submission,
} from './protocol.js';
import type { RunCommand } from './transitions.js';

const LONGEST_WAIT_MILLISECONDS = 30_000;

/** Speaks to one daemon. Every method throws DAEMON_UNREACHABLE, DAEMON_PROTOCOL, and what the daemon refuses with. */
export class Client {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async runs(): Promise<RunView[]> {
    return (await this.#ask(runList, 'GET', '/runs')).runs;
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

  async #ask<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(LONGEST_WAIT_MILLISECONDS),
      redirect: 'error',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => unreachable(this.url, error));
    const version = response.headers.get(VERSION_HEADER);
    const content: unknown = await response.json().catch(() => undefined);
    if (version !== String(CONTROL_VERSION)) return this.#strange(`version ${version ?? 'unknown'}`);
    const said = refusal.safeParse(content);
    if (!response.ok && said.success) throw new LatstreamError(said.data.error);
    const result = schema.safeParse(content);
    if (response.ok && result.success) return result.data;
    return this.#strange(`status ${response.status} with a reply of another form`);
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

/** @param where the address, or where it was looked for */
export function unreachable(where: string, cause?: unknown): never {
  const reason = (cause as { cause?: { code?: unknown } } | undefined)?.cause?.code;
  return complain(
    {
      code: 'DAEMON_UNREACHABLE',
      owner: `daemon ${where}`,
      expected: 'a daemon that answers',
      got: typeof reason === 'string' ? reason : 'no answer',
      hint: 'start one with latstream daemon, or name it by --daemon URL or --state DIR',
    },
    { cause },
  );
}
