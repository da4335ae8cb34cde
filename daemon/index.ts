/**
 * @file A daemon that keeps a queue of runs going, and its control API. How a run's process is started is given to it.
 *
 *     const daemon = await startDaemon({ state, runs, host: '127.0.0.1', launch, log, … });
 *     const run = await new Client(daemon.url, token).submit({ recipe, priority: 1 });
 *     await daemon.close();
 */
export { readAddress } from './address.js';
export { Client, unreachable } from './client.js';
export { startDaemon, type Daemon } from './daemon.js';
export type { Launch, Launched, LaunchEnd, Listener } from './launch.js';
export { createLog } from './log.js';
export type { EvaluationsView, RunView } from './protocol.js';
export { readAuthorities, tlsFiles } from './tls.js';
export { givenToken } from './token.js';
export type { RunCommand } from './transitions.js';
