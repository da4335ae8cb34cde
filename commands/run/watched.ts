/** @file A job while somebody looks on: shown as it goes, stopped by signals and viewers. */
import type { JobSpec } from './messages.js';
import type { Monitoring } from './monitoring.js';
import { startRun, type JobEnd } from './run-child.js';
import type { Spectator } from './spectator.js';

const STATES = { pause: 'paused', resume: 'running', stop: 'stopping' } as const;

/** Runs a job in a process of its own; SIGINT and SIGTERM let it finish its step and save. */
export async function watched(spec: JobSpec, spectator: Spectator, monitor?: Monitoring): Promise<JobEnd> {
  const run = startRun(spec, (message) => {
    if (message.type === 'metric') monitor?.publish(message.metric);
    if (message.type === 'note') monitor?.note(message.text);
    spectator.see(message);
  });
  const tell = (type: keyof typeof STATES): void => {
    monitor?.state(STATES[type]);
    run.tell(type);
  };
  const stop = (): void => {
    spectator.note('finishing the step, then saving');
    tell('stop');
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  monitor?.onControl(tell);
  try {
    return await run.ended;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    spectator.close();
  }
}
