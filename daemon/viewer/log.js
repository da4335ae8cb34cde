/** @file What happened to the chosen runs: events of the queue, and the newest lines of the daemon's log. */
import { element } from '../../monitor/viewer/dom.js';
import { ask } from './api.js';

const find = (id) => document.getElementById(id);
const MOST = 300;

/** Draws the log of `runs`, newest first. @param label what a run is called, by its id */
export async function showLog(runs, label) {
  const replies = await Promise.all(runs.map(async ({ id }) => [id, await ask(`/runs/${id}/log`)]));
  const lines = replies.flatMap(([id, { events, lines: said }]) => [
    ...events.map(({ time, event, state, reason }) => ({
      ...{ id, time, name: event },
      text: [`then ${state}`, reason].filter(Boolean).join(': '),
      level: state === 'failed' ? 'warn' : 'info',
    })),
    ...said.map(({ time, level, message }) => ({ id, time, name: 'log', text: message, level })),
  ]);
  lines.sort((a, b) => b.time.localeCompare(a.time));
  draw(lines.slice(0, MOST), label);
}

function draw(lines, label) {
  const list = find('lines');
  find('log-section').hidden = lines.length === 0;
  const key = JSON.stringify(lines);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(
    ...lines.map(({ id, time, name, text, level }) =>
      element(
        'li',
        { class: level === 'info' ? 'info' : 'warning' },
        element('time', { datetime: time }, new Date(time).toLocaleString()),
        element('b', {}, name),
        element('span', {}, label(id)),
        element('span', { class: 'dim' }, text),
      ),
    ),
  );
}
