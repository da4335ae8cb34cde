/** @file A run in the list: state, progress, speed, reason, priority, settings, and what may be asked of it. */
import { element, setText } from '../../monitor/viewer/dom.js';
import { duration, number } from '../../monitor/viewer/format.js';
import { onlyLooks } from './api.js';
import { SettingsForm } from './settings.js';

const WORDS = { pause: 'Pause', resume: 'Resume', stop: 'Stop', cancel: 'Cancel' };
const WAITING = ['queued', 'paused', 'stopped', 'failed'];
/** Not over, though without a process. */
const REST = ['paused', 'stopped'];

/**
 * @param asked {choose(id, chosen), command(run, command), prioritize(run, priority), describe(id), change(run, settings), taken(id, arm)}
 * @returns {root, update(run, chosen)}: focus and what is being typed stay
 */
export function newRunRow({ id, name, directory }, asked) {
  let current;
  const pick = element('input', {
    ...{ type: 'checkbox', 'aria-label': `Compare ${name} ${id}` },
    onchange: () => asked.choose(id, pick.checked),
  });
  const state = element('span', { class: 'state' });
  const track = newTrack(`${name} ${id}`);
  const [where, reason] = [element('span', { class: 'where' }), element('p', { class: 'reason' })];
  const priority = element('input', {
    ...{ type: 'number', step: '1', min: '-1000000', max: '1000000', required: true },
    onchange: () => priority.checkValidity() && asked.prioritize(current, priority.valueAsNumber),
  });
  const settings = new SettingsForm(`${name} ${id}`, {
    describe: () => asked.describe(id),
    change: (wanted) => asked.change(current, wanted),
    taken: (arm) => asked.taken(id, arm),
  });
  const live = element('a', { class: 'live', target: '_blank', rel: 'noreferrer' }, 'Live page');
  const buttons = buttonsFor(`${name} ${id}`, (command) => asked.command(current, command));
  const root = element(
    'li',
    { class: 'run', 'data-id': id },
    element('label', { class: 'title', title: directory }, pick, element('b', {}, name), ' ', dim(id)),
    state,
    element('div', { class: 'progress-cell' }, track, where),
    element('label', { class: 'priority dim' }, 'Priority ', priority),
    element('div', { class: 'actions' }, live, ...buttons),
    reason,
    settings.root,
  );
  const update = (run, chosen) => {
    current = run;
    pick.checked = chosen;
    state.dataset.state = run.state;
    setText(state, run.goal === null ? run.state : `${run.state} → ${run.goal}`);
    showShare(track, shareOf(run));
    setText(where, run.worker ? `${whereIs(run)} on ${run.worker}` : whereIs(run));
    setText(reason, run.reason ?? '');
    reason.hidden = run.reason === null;
    if (document.activeElement !== priority) priority.value = String(run.priority);
    priority.parentElement.hidden = !WAITING.includes(run.state);
    live.hidden = !run.live?.page || !['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname);
    if (!live.hidden) live.href = run.live.page;
    for (const button of buttons) button.hidden = !run.commands.includes(button.dataset.command);
    settings.update(run, !onlyLooks());
    [priority, ...buttons].forEach(permit);
  };
  return { root, update };
}

/** One for each command. @param label of the run. @param press what happens then */
function buttonsFor(label, press) {
  return Object.entries(WORDS).map(([command, word]) =>
    element(
      'button',
      {
        ...{ type: 'button', 'data-command': command, 'aria-label': `${word} ${label}` },
        class: command === 'cancel' ? 'danger' : undefined,
        onclick: () => press(command),
      },
      word,
    ),
  );
}

/** What changes something is there for who controls. */
function permit(control) {
  control.disabled = onlyLooks();
  control.title = onlyLooks() ? 'This token only looks' : '';
}

/** A bar of progress. @param of what */
export function newTrack(of) {
  return element('span', {
    ...{ class: 'track small', role: 'progressbar', 'aria-label': `Progress of ${of}` },
    ...{ 'aria-valuemin': '0', 'aria-valuemax': '100' },
  });
}

/** @param share from 0 to 1; undefined hides the bar */
export function showShare(track, share) {
  track.hidden = share === undefined;
  track.style.setProperty('--share', share ?? 0);
  track.setAttribute('aria-valuenow', String(Math.round(100 * (share ?? 0))));
}

export const dim = (text) => element('span', { class: 'dim' }, text);

/** How far it is, from 0 to 1; undefined where nothing is known. */
export function shareOf({ state, live }) {
  if (state === 'done') return 1;
  const progress = live?.progress;
  return progress?.steps > 0 ? Math.min(1, progress.step / progress.steps) : undefined;
}

function whereIs({ state, live, started, ended, created, retry }) {
  const seconds = (from, to) => duration((Date.parse(to) - Date.parse(from)) / 1000);
  if (live?.progress) {
    const { part, step, steps, stepsPerSecond } = live.progress;
    const speed = stepsPerSecond === null ? '' : `, ${number(stepsPerSecond)} steps/s`;
    const left = stepsPerSecond > 0 ? `, ${duration((steps - step) / stepsPerSecond)} left in it` : '';
    return `${part.slice(part.lastIndexOf('/') + 1)} ${number(step)} of ${number(steps)}${speed}${left}`;
  }
  if (live) return 'begins';
  if (ended !== null && started !== null)
    return `${REST.includes(state) ? state : 'ended'} ${when(ended)} after ${seconds(started, ended)}`;
  if (retry !== null) return `tried again ${when(retry)}`;
  return `submitted ${when(created)}`;
}

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const when = (time) => DATE.format(new Date(time));
