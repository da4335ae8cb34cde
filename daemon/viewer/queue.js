/** @file The daemon's page: asks for the runs every few seconds, and puts list, panels, answers and log together. */
import { Answers } from '../../monitor/viewer/answers.js';
import { Board, newView } from '../../monitor/viewer/board.js';
import { setText } from '../../monitor/viewer/dom.js';
import { drawArms, drawEvents } from '../../monitor/viewer/page.js';
import { repainter } from '../../monitor/viewer/repainter.js';
import { Store } from '../../monitor/viewer/store.js';
import { addTools } from '../../monitor/viewer/tools.js';
import { ask, onlyLooks, token } from './api.js';
import { showLog } from './log.js';
import { Descriptions } from './descriptions.js';
import { Reader } from './reader.js';
import { RunList } from './runs.js';

const find = (id) => document.getElementById(id);
const BEAT_MILLISECONDS = 2000;
const HIDDEN_BEAT_MILLISECONDS = 20_000;

let runs = [];
/** Ids of the runs that are compared; in the address, so that it can be kept. */
const chosen = new Set(new URLSearchParams(location.hash.slice(1)).get('runs')?.split(',').filter(Boolean));
let untouched = chosen.size === 0;

const store = new Store(armLabel);
const view = newView();
const repaint = repainter(paint);
const board = new Board(store, view, graphOf, repaint);
const showTools = addTools(view, repaint);
const reader = new Reader(store);
const descriptions = new Descriptions();
const answers = new Answers((id, index) => ask(`/runs/${id}/answers?index=${index}`), armLabel, fail);
const list = new RunList({ choose, command, prioritize, describe, change });

// ---- names --------------------------------------------------------------------------------------------------------

/** Its name, with the id where another chosen run has the same. */
function runLabel(id) {
  const name = (of) => runs.find((run) => run.id === of)?.name ?? of;
  const shared = [...chosen].some((other) => other !== id && name(other) === name(id));
  return shared ? `${name(id)} ${id}` : name(id);
}

function armLabel(run) {
  const [id, arm] = run.split('/');
  return chosen.size > 1 ? `${runLabel(id)} · ${arm}` : arm;
}

/** The streams of an arm `ID/ARM`. */
function graphOf(run) {
  const [id, arm] = run.split('/');
  return descriptions.of(id)?.graphs?.[arm];
}

// ---- asking -------------------------------------------------------------------------------------------------------

let timer;
let asking = false;
let again = false;

/** One round at a time; who asks during one gets another behind it. */
async function round() {
  again = true;
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  while (again) {
    again = false;
    await refresh().then(connected, fail);
  }
  asking = false;
  if (token.get() !== '')
    timer = setTimeout(round, document.hidden ? HIDDEN_BEAT_MILLISECONDS : BEAT_MILLISECONDS);
}

async function refresh() {
  if (token.get() === '') return;
  ({ runs } = await ask('/runs'));
  if (untouched) chooseFirst();
  show();
  const compared = runs.filter(({ id }) => chosen.has(id));
  await descriptions.read(compared);
  await reader.read(compared, repaint);
  await answers.show(compared.map(({ id, state, live }) => ({ id, mark: [state, live?.progress?.part] })));
  await showLog(compared, runLabel);
  repaint();
}

/** Who opens the page sees curves, if there are any. */
function chooseFirst() {
  const first =
    runs.find(({ state }) => state === 'running') ?? runs.findLast(({ started }) => started !== null);
  if (first === undefined) return;
  untouched = false;
  chosen.add(first.id);
}

function connected() {
  if (token.get() === '') return;
  say('live', 'live');
  if (find('banner').dataset.passing === 'true') find('banner').hidden = true;
}

function fail(error) {
  if (error.code === 'DAEMON_UNAUTHORIZED') {
    token.forget();
    logIn('The daemon does not know that token.');
  } else if (error.code === 'UNREACHABLE') say('lost', 'no answer: asking again');
  else complain(error.message, true);
}

function complain(text, passing = false) {
  const banner = find('banner');
  banner.dataset.passing = String(passing);
  banner.hidden = false;
  setText(banner, text);
}

function say(state, text) {
  find('connection').dataset.state = state;
  setText(find('connection'), text);
}

// ---- what people do -----------------------------------------------------------------------------------------------

function choose(id, wanted) {
  untouched = false;
  if (wanted) chosen.add(id);
  else chosen.delete(id);
  view.zoom = undefined;
  show();
  void round();
}

async function command(run, name) {
  if (name === 'cancel' && !(await confirmed(run))) return;
  await order(`/runs/${run.id}/${name}`, { method: 'POST' }, `${name} ${run.name}`);
}

function prioritize(run, priority) {
  return order(
    `/runs/${run.id}`,
    { method: 'PATCH', body: { priority } },
    `give ${run.name} another priority`,
  );
}

async function describe(id) {
  await descriptions.read([{ id }]).catch(fail);
  return descriptions.of(id);
}

/** @returns what was wrong with it */
async function change(run, settings) {
  try {
    await ask(`/runs/${run.id}`, { method: 'PATCH', body: { settings } });
  } catch (error) {
    if (error.code === 'DAEMON_UNAUTHORIZED') fail(error);
    return error.message;
  }
  await round();
  return undefined;
}

async function order(path, request, what) {
  find('banner').hidden = true;
  await ask(path, request).catch((error) => {
    if (error.code === 'DAEMON_UNAUTHORIZED') fail(error);
    else complain(`Could not ${what}: ${error.message}`);
  });
  await round();
}

function confirmed({ name, id }) {
  const dialog = find('confirm');
  find('confirm-text').textContent =
    `${name} ${id} ends at once and for good: what came after its last checkpoint is lost. Its directory stays.`;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(dialog.returnValue === 'yes')));
}

function logIn(complaint) {
  runs = [];
  store.clear();
  find('page').hidden = true;
  find('forget').hidden = true;
  find('login').hidden = false;
  say('idle', 'not asked yet');
  if (complaint !== undefined) complain(complaint);
  find('token').focus();
}

find('login').onsubmit = (event) => {
  event.preventDefault();
  token.set(find('token').value.trim());
  find('token').value = '';
  find('login').hidden = true;
  find('banner').hidden = true;
  say('connecting', 'connecting');
  void round();
};
find('forget').onclick = () => {
  token.forget();
  logIn();
};
document.addEventListener('visibilitychange', () => !document.hidden && void round());
addEventListener('online', () => void round());

// ---- painting -----------------------------------------------------------------------------------------------------

function show() {
  find('page').hidden = false;
  find('forget').hidden = false;
  find('looks').hidden = !onlyLooks();
  list.show(runs, chosen);
  const hash = chosen.size === 0 ? '' : `#runs=${[...chosen].join(',')}`;
  history.replaceState(null, '', `${location.pathname}${hash}`);
  const running = runs.filter(({ state }) => state === 'running').length;
  document.title = `${running === 0 ? '' : `${running} running · `}latstream`;
}

function paint() {
  showTools();
  find('tools').hidden = store.arms.size === 0;
  drawArms(store, repaint);
  board.draw();
  drawEvents(store);
  document.documentElement.dataset.metrics = String(store.count);
}

if (token.get() === '') logIn();
else void round();
