/** @file A server that begins to listen, or says why it cannot. */
import type { Server } from 'node:http';
import { complain } from '../foundation/index.js';

/**
 * @param owner who complains
 * @throws MONITOR_PORT_IN_USE, MONITOR_LISTEN; DAEMON_…
 */
export async function listen(
  http: Server,
  host: string,
  port: number,
  owner: 'monitor' | 'daemon',
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(port, host, resolve);
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const inUse = code === 'EADDRINUSE';
    complain(
      {
        code: `${owner.toUpperCase()}_${inUse ? 'PORT_IN_USE' : 'LISTEN'}`,
        owner,
        expected: `port ${port} on ${host} to be free${owner === 'monitor' ? ' for the live page' : ''}`,
        got: inUse ? 'a port that is in use' : message,
        hint: 'choose another port (0 takes any free one), or stop what listens there',
      },
      { cause: error },
    );
  }
}
