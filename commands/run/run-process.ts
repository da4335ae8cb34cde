/** @file The process of a run: everything that calls a runtime happens here, and nothing that serves people. */
import { Control } from '../../streams/index.js';
import { measureCosts } from './costs.js';
import { runJob } from './job.js';
import { AskedSettings } from './live-settings.js';
import { lockWork } from './lock.js';
import {
  plainError,
  type ChangeMessage,
  type JobHost,
  type ControlMessage,
  type JobMessage,
  type JobSpec,
  type StartMessage,
} from './messages.js';

const control = new Control();
const asked = new AskedSettings((settings) => void send({ type: 'changed', settings }));

/** Resolves when the message is with the operating system, which delivers it though this process may die. */
function send(message: JobMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}

async function jobOf(spec: JobSpec, host: JobHost): Promise<JobMessage> {
  if (spec.dryRun) return { type: 'costs', costs: await measureCosts(spec, host) };
  const release = await lockWork(spec.out);
  try {
    const summary = await runJob(spec, host);
    return summary ? { type: 'done', summary } : { type: 'stopped' };
  } finally {
    release();
  }
}

async function work(spec: JobSpec): Promise<void> {
  const host: JobHost = { send: (message) => void send(message), control, asked };
  try {
    await send(await jobOf(spec, host));
  } catch (error) {
    await send({ type: 'failed', error: plainError(error) });
  } finally {
    if (process.connected) process.disconnect(); // not where whoever started it was killed
  }
}

// A terminal's Ctrl-C and a service manager's SIGTERM reach this process, too: the one that started it says what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.stderr.on('error', () => undefined); // whoever reads it was killed: that is noticed elsewhere
process.on('message', (message: StartMessage | ControlMessage | ChangeMessage) => {
  if (message.type === 'start') void work(message.spec);
  else if (message.type === 'change') asked.ask(message.settings);
  else control[message.type]();
});
