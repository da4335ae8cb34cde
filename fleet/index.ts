/**
 * @file One queue for daemons on many machines: Redis (or Valkey) has the truth about runs and whose turn it is, a shared store has their
 * directories, and a lease with an epoch sees to it that a run is written by one worker alone. See docs/fleet.md.
 *
 *     const openQueue = sharedQueue({ queue: 'redis://10.0.0.1', store: 's3://bucket/runs' });
 *     const daemon = await startDaemon({ …, openQueue });
 */
export { sharedQueue, type SharedQueueOptions } from './open-queue.js';
