/** @file The thread that counts means over seeds. Loaded by `means.ts`. */
import { parentPort } from 'node:worker_threads';
import type { MeansRequest } from './means.js';
import { groupsOf, measuresOf } from './outcomes.js';

parentPort?.on('message', ({ standings, arm }: MeansRequest) => {
  parentPort?.postMessage(measuresOf(groupsOf(standings, arm)[0]?.experiment, arm));
});
