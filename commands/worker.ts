/** @file The thread of a run: everything that calls a runtime happens here, and nothing that serves people. */
import { parentPort, workerData } from 'node:worker_threads';
import { Control } from '../streams/index.js';
import { measureCosts } from './costs.js';
import { runJob } from './job.js';
import { plainError, type ControlMessage, type JobMessage, type JobSpec } from './messages.js';

const spec = workerData as JobSpec;
const control = new Control();
const send = (message: JobMessage): void => parentPort?.postMessage(message);

parentPort?.on('message', ({ type }: ControlMessage) => control[type]());

try {
  if (spec.dryRun) send({ type: 'costs', costs: await measureCosts(spec, { send, control }) });
  else {
    const summary = await runJob(spec, { send, control });
    send(summary ? { type: 'done', summary } : { type: 'stopped' });
  }
} catch (error) {
  send({ type: 'failed', error: plainError(error) });
} finally {
  parentPort?.close();
}
