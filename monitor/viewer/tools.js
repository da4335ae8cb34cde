/** @file How curves are to be drawn: smoothing, a logarithmic axis, what the x axis counts, back from a zoom. */
import { element } from './dom.js';

/** Fills the element `tools`. @returns shows what the view is now, where the store has arms */
export function addTools(view, repaint) {
  const smoothing = element('input', {
    ...{ id: 'smoothing', type: 'range', min: '0', max: '0.95', step: '0.05', value: String(view.smoothing) },
    oninput: () => {
      view.smoothing = Number(smoothing.value);
      repaint();
    },
  });
  const log = element('input', {
    ...{ id: 'log', type: 'checkbox' },
    onchange: () => {
      view.log = log.checked;
      repaint();
    },
  });
  const over = element(
    'select',
    {
      id: 'over',
      onchange: () => {
        Object.assign(view, { over: over.value, zoom: undefined });
        repaint();
      },
    },
    element('option', { value: 'step' }, 'steps'),
    element('option', { value: 'tokens' }, 'tokens'),
    element('option', { value: 'time' }, 'time'),
  );
  const reset = element(
    'button',
    {
      ...{ id: 'zoom', type: 'button', hidden: true },
      onclick: () => {
        view.zoom = undefined;
        repaint();
      },
    },
    'Reset zoom',
  );
  const bar = document.getElementById('tools');
  bar.append(
    element('label', {}, 'Smoothing ', smoothing),
    element('label', {}, log, ' Log losses'),
    element('label', {}, 'Over ', over),
    reset,
  );
  return (store) => {
    bar.hidden = store.arms.size === 0;
    reset.hidden = view.zoom === undefined;
  };
}
