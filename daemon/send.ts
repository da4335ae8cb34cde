/** @file A reply on its way to a client. */
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { PAGE_POLICY } from '../monitor/index.js';
import type { Log } from './log.js';
import { CONTROL_VERSION, ROLE_HEADER, VERSION_HEADER } from './protocol.js';
import type { Reply } from './routes.js';
import type { Role } from './token.js';

/** Where content breaks off, so does the connection: its client misses bytes. @param role see `admit` */
export function send(response: ServerResponse, reply: Reply, role: Role | undefined, log: Log): void {
  const { status, body, type, file } = reply;
  const text = type === undefined ? `${JSON.stringify(body)}\n` : String(body);
  response.writeHead(status, {
    'content-type': file ? 'application/octet-stream' : (type ?? 'application/json'),
    'content-length': file ? file.bytes : Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': PAGE_POLICY,
    [VERSION_HEADER]: String(CONTROL_VERSION),
    ...(role !== undefined && { [ROLE_HEADER]: role }),
    // What was not read of a refused body must not be taken for the next request.
    ...(status >= 400 && { connection: 'close' }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 429 && { 'retry-after': '1' }),
  });
  if (!file) response.end(text);
  else
    pipeline(file.content, response, (error) => {
      if (error && error.code !== 'ERR_STREAM_PREMATURE_CLOSE')
        log('warn', 'file broken off', { reason: error.message });
    });
}
