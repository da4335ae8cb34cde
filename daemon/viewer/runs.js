/** @file The list of runs: state, progress, speed, reason, priority, and what may be asked of each. */
import { element, setText } from '../../monitor/viewer/dom.js';
import { duration, number } from '../../monitor/viewer/format.js';
import { onlyLooks } from './api.js';
import { SettingsForm } from './settings.js';

const WORDS = { pause: 'Pause', resume: 'Resume', stop: 'Stop', cancel: 'Cancel' };
const ACTIVE = ['running', 'stopping', 'queued'];
const WAITING = ['queued', 'paused', 'stopped', 'failed'];
/** Not over, though without a process. */
const REST = ['paused', 'stopped'];
/** Shown without being asked for. */
const FIRST = 20;

/** Keeps a list up to date, row by row: focus and what is being typed stay. */
export class RunList {
  #rows = new Map();
  #runs = [];
  #all = false;

  /** @param {{choose(id, chosen), command(run, command), prioritize(run, priority), describe(id), change(run, settings)}} asked */
  constructor(asked) {
    this.asked = asked;
    const [filter, all] = ['filter', 'all'].map((id) => document.getElementById(id));
    filter.oninput = () => this.#draw();
    all.onclick = () => {
      this.#all = !this.#all;
      this.#draw();
    };
  }

  /** @param chosen ids of those that are compared */
  show(runs, chosen) {
    this.#runs = [...runs].sort(byInterest);
    this.chosen = chosen;
    this.#draw();
  }

  #draw() {
    const find = (id) => document.getElementById(id);
    const wanted = find('filter').value.trim().toLowerCase();
    const matching = this.#runs.filter((run) => textOf(run).includes(wanted));
    const shown = matching.filter(
      (run, at) => this.#all || at < FIRST || this.chosen.has(run.id) || ACTIVE.includes(run.state),
    );
    const rows = shown.map((run) => this.#row(run));
    const list = find('runs');
    if (rows.length !== list.children.length || rows.some((row, at) => row !== list.children[at]))
      list.replaceChildren(...rows);
    find('none').hidden = this.#runs.length > 0;
    const all = find('all');
    all.hidden = matching.length <= FIRST;
    setText(all, this.#all ? 'Show fewer' : `Show all ${matching.length}`);
    const counts = Object.entries(Object.groupBy(this.#runs, ({ state }) => state));
    setText(find('counts'), counts.map(([state, of]) => `${of.length} ${state}`).join(', '));
  }

  #row(run) {
    let row = this.#rows.get(run.id);
    if (row === undefined) this.#rows.set(run.id, (row = this.#newRow(run)));
    row.update(run, this.chosen.has(run.id));
    return row.root;
  }

  #newRow({ id, name, directory }) {
    let current;
    const pick = element('input', {
      ...{ type: 'checkbox', 'aria-label': `Compare ${name} ${id}` },
      onchange: () => this.asked.choose(id, pick.checked),
    });
    const state = element('span', { class: 'state' });
    const track = element('span', {
      ...{ class: 'track small', role: 'progressbar', 'aria-label': `Progress of ${name} ${id}` },
      ...{ 'aria-valuemin': '0', 'aria-valuemax': '100' },
    });
    const [where, reason] = [element('span', { class: 'where' }), element('p', { class: 'reason' })];
    const priority = element('input', {
      ...{ type: 'number', step: '1', min: '-1000000', max: '1000000', required: true },
      onchange: () => priority.checkValidity() && this.asked.prioritize(current, priority.valueAsNumber),
    });
    const settings = new SettingsForm(
      `${name} ${id}`,
      () => this.asked.describe(id),
      (wanted) => this.asked.change(current, wanted),
    );
    const live = element('a', { class: 'live', target: '_blank', rel: 'noreferrer' }, 'Live page');
    const buttons = buttonsFor(`${name} ${id}`, (command) => this.asked.command(current, command));
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
      const share = shareOf(run);
      track.hidden = share === undefined;
      track.style.setProperty('--share', share ?? 0);
      track.setAttribute('aria-valuenow', String(Math.round(100 * (share ?? 0))));
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

const dim = (text) => element('span', { class: 'dim' }, text);

/** Those that have a process, then those that wait for one in their order, then the others, newest first. */
function byInterest(a, b) {
  const rank = ({ state }) => (ACTIVE.includes(state) ? ACTIVE.indexOf(state) : ACTIVE.length);
  const [first, second] = [rank(a), rank(b)];
  if (first !== second) return first - second;
  if (a.state === 'queued') return b.priority - a.priority || a.created.localeCompare(b.created);
  return b.created.localeCompare(a.created);
}

function textOf({ id, name, worker, state, reason }) {
  return `${id} ${name} ${worker ?? ''} ${state} ${reason ?? ''}`.toLowerCase();
}

/** Undefined where nothing is known. */
function shareOf({ state, live }) {
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
