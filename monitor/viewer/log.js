/** @file A log, newest line first. */
import { element } from './dom.js';

const find = (id) => document.getElementById(id);
const MOST = 300;

/** Draws lines `{time, name, level, text, of?}` into `log-section`; `of` says whose it is. */
export function drawLog(lines) {
  const newest = [...lines].sort((a, b) => b.time.localeCompare(a.time)).slice(0, MOST);
  const list = find('lines');
  find('log-section').hidden = newest.length === 0;
  const key = JSON.stringify(newest);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(
    ...newest.map(({ time, name, level, text, of }) =>
      element(
        'li',
        { class: level === 'info' ? 'info' : 'warning' },
        element('time', { datetime: time }, new Date(time).toLocaleString()),
        element('b', {}, name),
        of === undefined ? undefined : element('span', {}, of),
        element('span', { class: 'dim' }, text),
      ),
    ),
  );
}
