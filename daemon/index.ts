/**
 * @file A daemon that keeps a queue of runs going, and its control API. How a run's process is started is given to it.
 *
 *     const daemon = await startDaemon({ state, runs, host: '127.0.0.1', launch, log, … });
 *     const run = await new Client(daemon.url, token).submit({ recipe, priority: 1 });
 *     await daemon.close();
 */
export { readAddress } from './address.js';
export { Client, unreachable } from './client.js';
export {
  Courier,
  LONGEST_LIFE_MILLISECONDS,
  LONGEST_WAIT_MILLISECONDS,
  PATIENCE_MILLISECONDS,
  type Mailbag,
} from './courier.js';
export { LONGEST_WAIT_SECONDS, type DaemonConfig } from './config.js';
export { startDaemon, type Daemon, type QueueOpener, type QueueParts } from './daemon.js';
export { evaluatedNames, evaluationsIn } from './evaluations.js';
export { newIdentity, type Identity } from './identity.js';
export type { Launch, Launched, LaunchEnd, Launcher, Listener } from './launch.js';
export { createLog, type Log } from './log.js';
export type { WaitingLetter } from './outbox.js';
export { Pace, type Live } from './pace.js';
export type {
  Change,
  EvaluationsView,
  FilesView,
  LogView,
  RunView,
  Settings,
  WorkerView,
} from './protocol.js';
export type { Queue, Submitted } from './queue.js';
export type { Reply, Route } from './routes.js';
export { refuseKey, refuseLeaving, unknownFile, unknownRun } from './run-errors.js';
export { isRunFile, namesIn, type FileContent } from './run-files.js';
export { asking, moved, untaken, type Happening, type StoredRun } from './stored-run.js';
export { readAuthorities, tlsFiles } from './tls.js';
export { givenToken } from './token.js';
export { WITH_PROCESS, type RunCommand, type RunEvent, type RunState } from './transitions.js';
export { viewOf } from './view.js';
export {
  hookEventsOf,
  crossedBy,
  letter,
  wants,
  type Telling,
  type Threshold,
  type Webhook,
} from './webhooks.js';
