/** @file One request, through its redirects: a token goes to its own origin only, and nothing waits for ever. */
import { complain } from '../foundation/index.js';
import { Passing } from './attempts.js';
import { refused } from './refused.js';
import type { Remote } from './settings.js';

export interface Question {
  /** Who complains. */
  readonly owner: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: string;
  /** Statuses beside success that the caller understands. */
  readonly understood?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from in the end. */
  readonly url: string;
  /** A header of the first answer on the way that has it: the hub's own, not those of where it redirects to. */
  readonly first: (name: string) => string | undefined;
  /** The body. @throws Passing where it breaks off */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Lets go of a body that is not read. */
  readonly drop: () => void;
}

/**
 * Asks once.
 * @throws Passing where another try may help; REMOTE_ADDRESS, REMOTE_OFFLINE, and what {@link refused} throws.
 */
export async function ask(address: string, question: Question, remote: Remote): Promise<Reply> {
  const { owner } = question;
  if (remote.offline)
    complain({
      code: 'REMOTE_OFFLINE',
      owner,
      expected: 'leave to use the network',
      got: 'HF_HUB_OFFLINE',
      hint: 'unset it, or name what is on this machine',
    });
  const hops: Headers[] = [];
  for (let url = checked(address, owner); ;) {
    const { response, watch } = await hop(url, question, remote);
    hops.push(response.headers);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || response.status === 304 || location === null) {
      const reply = replyOf(response, watch, url, hops);
      if (response.ok || question.understood?.includes(response.status)) return reply;
      reply.drop();
      return refused(reply.status, reply.first, owner, remote);
    }
    watch.drop();
    if (hops.length > remote.redirects) badAddress(owner, `more than ${remote.redirects} redirects`);
    const next = checked(location, owner, url);
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      badAddress(owner, `a redirect from https to ${next.origin}`);
    url = next;
  }
}

async function hop(
  url: URL,
  { headers, method, body, signal, owner }: Question,
  remote: Remote,
): Promise<{ response: Response; watch: Watch }> {
  const watch = new Watch(remote.patience, signal);
  const authorized = remote.token !== undefined && url.origin === originOf(remote.endpoint, owner);
  try {
    const response = await watch.within(
      fetch(url, {
        method: method ?? 'GET',
        ...(body !== undefined && { body }),
        redirect: 'manual',
        signal: watch.signal,
        headers: {
          'user-agent': 'latstream',
          // Ranges and sizes are those of the file, not of a compressed form of it.
          'accept-encoding': 'identity',
          ...headers,
          ...(authorized && { authorization: `Bearer ${remote.token}` }),
        },
      }),
    );
    return { response, watch };
  } catch (error) {
    watch.drop();
    throw broken(error, signal);
  }
}

function replyOf(response: Response, watch: Watch, url: URL, hops: readonly Headers[]): Reply {
  return {
    status: response.status,
    headers: response.headers,
    url: url.href,
    first: (name) => hops.map((headers) => headers.get(name)).find((value) => value !== null) ?? undefined,
    chunks: bodyOf(response, watch),
    drop: () => watch.drop(),
  };
}

async function* bodyOf(response: Response, watch: Watch): AsyncGenerator<Uint8Array> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  try {
    for (;;) {
      const next = reader && (await watch.within(reader.read()));
      if (!next || next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw broken(error, watch.outer);
  } finally {
    watch.drop();
  }
}

/** Ends a request that has been silent for too long, that somebody stopped, or that nobody reads any more. */
class Watch {
  private readonly controller = new AbortController();
  readonly signal = this.controller.signal;

  constructor(
    private readonly patience: number,
    readonly outer: AbortSignal | undefined,
  ) {
    outer?.addEventListener('abort', this.drop);
    if (outer?.aborted) this.drop();
  }

  async within<T>(work: Promise<T>): Promise<T> {
    const silence = new Passing(`silence for ${this.patience / 1000} s`);
    const timer = setTimeout(() => this.controller.abort(silence), this.patience);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  readonly drop = (): void => {
    this.outer?.removeEventListener('abort', this.drop);
    this.controller.abort(new Passing('a request that was dropped'));
  };
}

/** Names that do not exist and certificates that do not hold will not be better in a minute. */
const LASTING = /^(ENOTFOUND|ERR_TLS|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_INVALID)/;

function broken(error: unknown, outer: AbortSignal | undefined): unknown {
  if (outer?.aborted) return outer.reason;
  if (error instanceof Passing) return error;
  const { message, cause } = error as { message: string; cause?: { code?: string; message?: string } };
  const what = cause?.code ?? cause?.message ?? message;
  // No server will be asked again: as much as a wait longer than any that is allowed.
  return new Passing(what, LASTING.test(what) ? Infinity : 0, { cause: error });
}

function originOf(endpoint: string, owner: string): string {
  return checked(endpoint, owner).origin;
}

function checked(address: string, owner: string, base?: URL): URL {
  if (!URL.canParse(address, base)) return badAddress(owner, 'something else');
  const url = new URL(address, base);
  if (!['http:', 'https:'].includes(url.protocol)) return badAddress(owner, `the protocol ${url.protocol}`);
  if (url.username || url.password) return badAddress(owner, 'a password in it');
  return url;
}

function badAddress(owner: string, got: string): never {
  return complain({
    code: 'REMOTE_ADDRESS',
    owner,
    expected: 'an http or https address without a password, and few redirects that stay as safe',
    got,
    hint: 'check the address, and HF_ENDPOINT where it is set',
  });
}
