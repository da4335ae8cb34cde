/** @file One request to a daemon and its reply, over HTTP or HTTPS, with an authority of one's own. Knows no message. */
import { request as plain, type IncomingMessage } from 'node:http';
import { request as secure } from 'node:https';
import { complain } from '../foundation/index.js';
import { boundedBody } from './bounded-body.js';

export interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Certificates of authorities in PEM, instead of those that this machine trusts. */
  readonly ca: string | undefined;
  /** Breaks it off. */
  readonly signal: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Without a byte. */
const LONGEST_SILENCE_MILLISECONDS = 60_000;
/** In bytes: a piece of metrics has some megabytes. */
const LONGEST_REPLY = 2 ** 26;

/** The whole reply. Follows no redirect. @throws what the system and TLS say, with a `code` */
export async function exchange(url: URL, asked: Asked): Promise<Answered> {
  return whole(await begun(url, asked), url);
}

/** The reply as far as its head; the rest may take as long as something comes. @throws as {@link exchange}; so does what reads the rest */
export function streamed(url: URL, asked: Asked): Promise<IncomingMessage> {
  return begun(url, asked, LONGEST_SILENCE_MILLISECONDS);
}

function begun(url: URL, asked: Asked, silence = 0): Promise<IncomingMessage> {
  const { method, headers, signal, body, ca } = asked;
  const options = {
    method,
    headers,
    signal,
    timeout: silence,
    agent: false,
    ...(ca !== undefined && { ca }),
  };
  return new Promise((resolve, reject) => {
    const sent = url.protocol === 'https:' ? secure(url, options, resolve) : plain(url, options, resolve);
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('silence'), { code: 'ETIMEDOUT' })));
    sent.on('error', reject).end(body);
  });
}

/** Of a reply that has begun. */
export async function whole(response: IncomingMessage, { origin }: URL): Promise<Answered> {
  const body = await boundedBody(response, LONGEST_REPLY, () =>
    complain({
      code: 'DAEMON_PROTOCOL',
      owner: `daemon ${origin}`,
      expected: `a reply of at most ${LONGEST_REPLY} bytes`,
      got: 'more',
      hint: 'correct --daemon',
    }),
  );
  return { status: response.statusCode ?? 0, headers: response.headers, text: body.toString('utf8') };
}
