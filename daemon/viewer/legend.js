/** @file The legend of curves that are coloured by a setting: its entries hide and show what they stand for. */
import { element, setText, swatch } from '../../monitor/viewer/dom.js';

const find = (id) => document.getElementById(id);

/**
 * Draws `legend` in the place of the arms' cards, and the settings that one can choose.
 * @param comparison see `Comparison`. @param onChange is told of what was pressed
 * @returns whether there is one
 */
export function drawLegend(comparison, store, onChange) {
  const groups = comparison.colourArms(store);
  const drawn = groups !== undefined;
  find('legend').hidden = !drawn;
  find('arms').hidden = drawn;
  setText(
    find('arms-hint'),
    drawn ? 'press what is to be hidden or shown' : 'press an arm to hide or show it',
  );
  offer(comparison);
  if (!drawn) return false;
  const press = (key) => {
    comparison.toggle(key);
    onChange();
  };
  show(groups, press);
  return true;
}

/** Anew only where something else is in it: the focus stays. */
function show(groups, press) {
  const legend = find('legend');
  const key = JSON.stringify(groups, (name, value) => (name === 'on' ? undefined : value));
  if (legend.dataset.key !== key) {
    legend.dataset.key = key;
    const button = ({ key: of, text, color, dash }) =>
      element(
        'button',
        { type: 'button', name: 'legend', 'data-key': of, onclick: () => press(of) },
        swatch(color, dash !== undefined),
        text,
      );
    legend.replaceChildren(
      ...groups.flatMap(({ title, entries }) => [
        element('span', { class: 'dim' }, title),
        ...entries.map(button),
      ]),
    );
  }
  const on = new Map(groups.flatMap(({ entries }) => entries.map((entry) => [entry.key, entry.on])));
  for (const button of legend.querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(on.get(button.dataset.key)));
}

function offer({ settings, setting }) {
  const list = find('colour');
  list.parentElement.hidden = settings.length === 0;
  const names = ['', ...settings];
  if (list.dataset.names !== names.join()) {
    list.dataset.names = names.join();
    list.replaceChildren(...names.map((name) => element('option', { value: name }, name || 'arm')));
  }
  list.value = settings.includes(setting) ? setting : '';
}
