/** @file The daemon's page: asks for the runs every few seconds, and puts list, panels, answers and log together. */
import { Answers } from '../../monitor/viewer/answers.js';
import { Board, newView } from '../../monitor/viewer/board.js';
import { setText } from '../../monitor/viewer/dom.js';
import { drawArms, drawEvents } from '../../monitor/viewer/page.js';
import { repainter } from '../../monitor/viewer/repainter.js';
import { Store } from '../../monitor/viewer/store.js';
import { addTools } from '../../monitor/viewer/tools.js';
import { ask, onlyLooks, token } from './api.js';
import { Comparison } from './comparison.js';
import { Descriptions } from './descriptions.js';
import { drawLegend } from './legend.js';
import { showLog } from './log.js';
import { addLogin } from './login.js';
import { ordersOf } from './orders.js';
import { Reader } from './reader.js';
import { RunList } from './runs.js';
import { Workers } from './workers.js';

const find = (id) => document.getElementById(id);
const BEAT_MILLISECONDS = 2000;
const HIDDEN_BEAT_MILLISECONDS = 20_000;

/** Runs whose answers, log and streams are shown: those of more nobody reads beside each other. */
const MOST_TOLD = 6;

let runs = [];
const comparison = new Comparison(location.hash);
const { chosen } = comparison;
const store = new Store((arm) => comparison.armLabel(arm));
const view = newView();
const repaint = repainter(paint);
const board = new Board(store, view, graphOf, repaint);
const showTools = addTools(view, repaint);
const reader = new Reader(store);
const descriptions = new Descriptions();
const answers = new Answers(
  (id, index) => ask(`/runs/${id}/answers?index=${index}`),
  (arm) => comparison.armLabel(arm),
  fail,
);
const list = new RunList({
  ...{ choose: (id, wanted) => compare([id], wanted), compareAll, unfold, sweep },
  ...{ describe, taken },
  ...ordersOf({ round, fail, complain }),
});
const workers = new Workers();
const askToken = addLogin(begin, end);

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
  comparison.see(runs);
  if (comparison.untouched) chooseFirst();
  show();
  const compared = runs.filter(({ id }) => chosen.has(id));
  const told = compared.slice(0, MOST_TOLD);
  find('told').hidden = told.length === compared.length;
  setText(
    find('told'),
    `Streams, answers and log are of the first ${told.length} of ${compared.length} runs.`,
  );
  await workers.show((id) => comparison.nameOf(id));
  await descriptions.read(told);
  await reader.read(compared, repaint);
  await answers.show(told.map(({ id, state, live }) => ({ id, mark: [state, live?.progress?.part] })));
  await showLog(told, (id) => comparison.runLabel(id));
  repaint();
}

/** Who opens the page sees curves, if there are any. */
function chooseFirst() {
  const first =
    runs.find(({ state }) => state === 'running') ?? runs.findLast(({ started }) => started !== null);
  if (first !== undefined) comparison.choose([first.id], true);
}

function connected() {
  if (token.get() === '') return;
  say('live', 'live');
  if (find('banner').dataset.passing === 'true') find('banner').hidden = true;
}

function fail(error) {
  if (error.code === 'DAEMON_UNAUTHORIZED') {
    token.forget();
    askToken('The daemon does not know that token.');
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

function compare(ids, wanted) {
  comparison.choose(ids, wanted);
  view.zoom = undefined;
  show();
  void round();
}

/** All cells of a sweep and nothing else, coloured by a setting; or none of them. */
function compareAll(cells, wanted, setting) {
  if (wanted) {
    comparison.choose([...chosen], false);
    comparison.colour(setting);
  }
  compare(
    cells.map(({ id }) => id),
    wanted,
  );
}

function unfold(name, open) {
  if (open) comparison.open.add(name);
  else comparison.open.delete(name);
  show();
}

function sweep(name, arm) {
  return ask(`/sweeps/${name}${arm === undefined ? '' : `?${new URLSearchParams({ arm })}`}`);
}

find('colour').onchange = ({ target }) => {
  comparison.colour(target.value);
  show();
  repaint();
};

async function describe(id) {
  await descriptions.read([{ id }]).catch(fail);
  return descriptions.of(id);
}

/** What an arm's record says that it was changed to, where the run is compared. */
function taken(id, arm) {
  const columns = store.arms.get(`${id}/${arm}`)?.columns ?? new Map();
  const changed = [...columns].filter(([key]) => key.startsWith('settings/'));
  return Object.fromEntries(changed.map(([key, { last }]) => [key.slice('settings/'.length), last]));
}

function begin() {
  find('banner').hidden = true;
  say('connecting', 'connecting');
  void round();
}

function end(complaint) {
  runs = [];
  store.clear();
  say('idle', 'not asked yet');
  if (complaint !== undefined) complain(complaint);
}

document.addEventListener('visibilitychange', () => !document.hidden && void round());
addEventListener('online', () => void round());

// ---- painting -----------------------------------------------------------------------------------------------------

function show() {
  find('page').hidden = false;
  find('forget').hidden = false;
  find('looks').hidden = !onlyLooks();
  list.show(runs, chosen, comparison.open);
  history.replaceState(null, '', `${location.pathname}${comparison.hash}`);
  const running = runs.filter(({ state }) => state === 'running').length;
  document.title = `${running === 0 ? '' : `${running} running · `}latstream`;
}

function paint() {
  showTools(store);
  find('arms-section').hidden = store.arms.size === 0;
  if (!drawLegend(comparison, store, repaint)) drawArms(store, repaint);
  board.draw();
  drawEvents(store);
  document.documentElement.dataset.metrics = String(store.count);
}

if (token.get() === '') askToken();
else void round();
