/** @file Reads a server's WebSocket frames as `ws` does in a client. */
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';

// Not among the types of the package.
const { Receiver } = createRequire(import.meta.url)('ws') as {
  readonly Receiver: new (options: { readonly isServer: boolean }) => Writable;
};

/** The messages in whole text frames, parsed. */
export function messagesIn(bytes: Buffer): unknown[] {
  const messages: unknown[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
  receiver.on('error', (error) => {
    throw error;
  });
  receiver.write(bytes);
  return messages;
}
