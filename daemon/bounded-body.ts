/** @file The body of a request or a reply, up to a bound. Knows no message. */
import type { IncomingMessage } from 'node:http';

/** @param most bytes. @param refuse told when there are more; nothing more is read */
export async function boundedBody(
  message: IncomingMessage,
  most: number,
  refuse: () => never,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) refuse();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
