/** @file The parts of the page around the curves: header, progress, arms, events, description. */
import { armLook, attackNames } from './curves.js';
import { element, fill, setText } from './dom.js';
import { armName, duration, number, percent, words } from './format.js';

const find = (id) => document.getElementById(id);
const text = (id, value) => setText(find(id), value);

const ENDED = ['done', 'failed'];

/** @param detail seconds until it is tried again, or why it is not */
export function showConnection(state, detail, run) {
  const node = find('connection');
  const over = ENDED.includes(run.state);
  node.dataset.state = state === 'lost' && over ? 'ended' : state;
  const wording = {
    connecting: 'connecting',
    live: 'live',
    lost: over ? 'offline' : `reconnecting in ${duration(Math.max(1, detail))}`,
    incompatible: `reload this page: ${detail}`,
  };
  node.textContent = wording[state];
}

export function showState(run) {
  const node = find('state');
  node.dataset.state = run.state;
  node.textContent = run.state;
  const banner = find('banner');
  banner.hidden = run.detail === undefined;
  banner.textContent = run.detail ?? '';
  find('commands').hidden = run.commands.length === 0 || ENDED.includes(run.state);
  find('pause').textContent = run.state === 'paused' ? 'Resume' : 'Pause';
  for (const id of ['pause', 'stop']) find(id).disabled = run.state === 'stopping';
}

export function showDescription(description) {
  text('name', description.name);
  const { recipe, model, seed, version } = description;
  const parts = [
    recipe !== description.name ? recipe : undefined,
    model,
    seed === undefined ? undefined : `seed ${seed}`,
  ];
  if (version !== undefined) parts.push(`latstream ${version}`);
  text('subtitle', parts.filter((part) => part !== undefined && typeof part !== 'object').join(' · '));
  const rows = [...flattened({ ...description, graphs: undefined, settings: undefined })].filter(
    ([key, value]) => key !== 'name' && value !== 'undefined',
  );
  find('details').hidden = rows.length === 0;
  find('description').replaceChildren(
    ...rows.map(([key, value]) => element('div', {}, element('dt', {}, key), element('dd', {}, value))),
  );
}

function* flattened(value, path = '') {
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) yield [path, value.join(', ')];
  else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value))
      yield* flattened(each, path === '' ? key : `${path}.${key}`);
  } else yield [path, String(value)];
}

/** Progress of the whole run: the mean over its arms, those to come included where the description names them. */
export function drawHeader(run, store) {
  const arms = [...store.arms.values()].filter(({ progress }) => progress?.steps > 0);
  const listed = Array.isArray(run.description?.arms) ? run.description.arms.length : 0;
  const count = Math.max(listed, arms.length);
  const done = arms.reduce((sum, { progress }) => sum + Math.min(1, progress.step / progress.steps), 0);
  const share = run.state === 'done' ? 1 : count === 0 ? 0 : done / count;
  const track = find('progress');
  track.style.setProperty('--share', share);
  track.setAttribute('aria-valuenow', String(Math.round(share * 100)));
  const prefix = run.state === 'done' ? 'done' : `${Math.floor(share * 100)} %`;
  document.title = `${prefix} · ${run.description?.name ?? ''} · latstream`;
}

export function drawFacts(store) {
  const arm = store.arms.get(store.newest?.run);
  if (arm === undefined) return;
  const last = (key) => arm.columns.get(key)?.last;
  const { progress } = arm;
  const facts = [
    ['arm', armName(arm.run)],
    ['step', progress?.steps > 0 ? `${number(progress.step)} / ${number(progress.steps)}` : number(arm.step)],
    ['time left', progress === undefined ? undefined : duration(progress.secondsLeft)],
    ['tokens/s', last('throughput/tokensPerSecond')],
    ['s/step', last('throughput/secondsPerStep')],
    ['memory', megabytes(last('throughput/residentMegabytes'))],
  ].filter(([, value]) => value !== undefined);
  const show = (value) => (typeof value === 'number' ? number(value) : value);
  fill(
    find('facts'),
    facts.map(([name, value]) => [name, show(value)]),
  );
}

function megabytes(value) {
  if (value === undefined) return undefined;
  return value >= 1000 ? `${(value / 1000).toFixed(2)} GB` : `${Math.round(value)} MB`;
}

/** One card an arm: its colour, progress and newest figures. It is the legend, too. */
export function drawArms(store, repaint) {
  const box = find('arms');
  find('arms-section').hidden = store.arms.size === 0;
  for (const arm of store.arms.values()) {
    let card = box.querySelector(`[data-run="${CSS.escape(arm.run)}"]`);
    if (card === null) {
      const list = element('dl');
      const top = element('span', { class: 'top' }, element('b', {}));
      card = element(
        'button',
        {
          type: 'button',
          class: 'arm',
          'data-run': arm.run,
          onclick: () => {
            store.arms.get(arm.run).hidden = card.getAttribute('aria-pressed') === 'true';
            repaint();
          },
        },
        top,
        element('span', { class: 'track small' }),
        list,
      );
      top.append(element('span', { class: 'dim when' }));
      box.append(card);
    }
    const { color, dash } = armLook(arm);
    card.style.setProperty('--swatch', `var(${color})`);
    card.classList.toggle('dashed', dash !== undefined);
    setText(card.querySelector('b'), store.label(arm.run));
    card.setAttribute('aria-pressed', String(!arm.hidden));
    const { progress } = arm;
    const share = progress?.steps > 0 ? Math.min(1, progress.step / progress.steps) : undefined;
    const track = card.querySelector('.track');
    track.hidden = share === undefined;
    track.style.setProperty('--share', share ?? 0);
    const when = share === undefined ? '' : share < 1 ? `${Math.floor(share * 100)} %` : 'done';
    card.querySelector('.when').textContent = when;
    fill(card.querySelector('dl'), figures(store, arm));
  }
  for (const card of [...box.children]) if (!store.arms.has(card.dataset.run)) card.remove();
}

function figures(store, arm) {
  const pairs = [];
  for (const { title, variants } of attackNames(store)) {
    const value = arm.columns.get(`evaluate/${variants[0].name}`)?.last;
    if (value !== undefined) pairs.push([title, percent(value)]);
  }
  const benign = arm.columns.get('evaluate/benignAccuracy')?.last;
  if (benign !== undefined) pairs.push(['benign', percent(benign)]);
  if (pairs.length === 0) {
    const loss = arm.columns.get('defend/loss')?.last;
    if (loss !== undefined) pairs.push(['loss', number(loss)]);
  }
  return pairs;
}

export function drawEvents(store) {
  const list = find('events');
  find('events-section').hidden = store.events.length === 0;
  const key = `${store.events.length} ${store.events[0]?.time} ${store.events[0]?.step}`;
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(
    ...store.events.map(({ run, time, step, kind, values }) =>
      element(
        'li',
        { class: kind },
        element('time', { datetime: new Date(time).toISOString() }, new Date(time).toLocaleTimeString()),
        element('b', {}, kind),
        element('span', {}, `${store.label(run)}, step ${number(step)}`),
        element(
          'span',
          { class: 'dim' },
          Object.entries(values)
            .map(([name, value]) => `${words(name)} ${number(value)}`)
            .join(', '),
        ),
      ),
    ),
  );
}
