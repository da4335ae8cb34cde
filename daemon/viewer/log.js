/** @file What happened to the chosen runs: events of the queue, and the newest lines of the daemon's log. */
import { drawLog } from '../../monitor/viewer/log.js';
import { ask } from './api.js';

/** @param label what a run is called, by its id */
export async function showLog(runs, label) {
  const replies = await Promise.all(runs.map(async ({ id }) => [id, await ask(`/runs/${id}/log`)]));
  drawLog(
    replies.flatMap(([id, { events, lines }]) => [
      ...events.map(({ time, event, state, reason }) => ({
        ...{ of: label(id), time, name: event },
        text: [`then ${state}`, reason].filter(Boolean).join(': '),
        level: state === 'failed' ? 'warn' : 'info',
      })),
      ...lines.map(({ time, level, message }) => ({
        ...{ of: label(id), time, name: 'log', text: message, level },
      })),
    ]),
  );
}
