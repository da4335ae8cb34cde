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
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const LONGEST_WAIT_MILLISECONDS = 30_000;
/** In bytes: a piece of metrics has some megabytes. */
const LONGEST_REPLY = 2 ** 26;

/** Follows no redirect. @throws what the system and TLS say, with a `code` */
export function exchange(url: URL, { method, headers, body, ca }: Asked): Promise<Answered> {
  const signal = AbortSignal.timeout(LONGEST_WAIT_MILLISECONDS);
  const options = { method, headers, signal, agent: false, ...(ca !== undefined && { ca }) };
  return new Promise((resolve, reject) => {
    const hear = (response: IncomingMessage): void => void whole(response, url).then(resolve, reject);
    const sent = url.protocol === 'https:' ? secure(url, options, hear) : plain(url, options, hear);
    sent.on('error', reject).end(body);
  });
}

async function whole(response: IncomingMessage, url: URL): Promise<Answered> {
  const body = await boundedBody(response, LONGEST_REPLY, () =>
    complain({
      code: 'DAEMON_PROTOCOL',
      owner: `daemon ${url.origin}`,
      expected: `a reply of at most ${LONGEST_REPLY} bytes`,
      got: 'more',
      hint: 'correct --daemon',
    }),
  );
  return { status: response.statusCode ?? 0, headers: response.headers, text: body.toString('utf8') };
}
