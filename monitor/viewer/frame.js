/** @file The frame of a panel: title, choices, values under the cursor, and the place of what is drawn. */
import { element, swatch } from './dom.js';

/** Letters of choices that stand beside each other. */
const MOST_LETTERS = 50;
/** Values that stand in lines; more of them stand in columns. */
const MOST_CHIPS = 6;

export class Frame {
  /** @param options {id, title, note?} */
  constructor(options) {
    this.options = options;
    this.choice = undefined;
    this.choices = element('div', {
      class: 'choices',
      role: 'group',
      'aria-label': `${options.title}: which value`,
    });
    this.readout = element('div', { class: 'readout' });
    this.canvas = element('div', {
      class: 'canvas',
      tabindex: '0',
      role: 'img',
      'aria-label': options.title,
    });
    this.root = element(
      'figure',
      { class: 'panel', 'data-chart': options.id },
      element(
        'figcaption',
        {},
        element('h3', {}, options.title),
        options.note === undefined ? undefined : element('span', { class: 'dim' }, options.note),
        this.choices,
      ),
      this.readout,
      this.canvas,
    );
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  /** Of the drawing, in CSS pixels. */
  get width() {
    return Math.max(160, this.canvas.clientWidth);
  }

  /** Buttons, or a list where they are many, to choose one of `names`; the first is chosen at the start. */
  offer(names, labels, onChoice) {
    this.choice = names.includes(this.choice) ? this.choice : names[0];
    const shown = JSON.stringify([names.map((name) => [name, labels(name)]), this.choice]);
    if (this.choices.dataset.shown === shown) return;
    this.choices.dataset.shown = shown;
    const { activeElement } = document;
    const focused = this.choices.contains(activeElement) ? activeElement : undefined;
    const choose = (name) => {
      this.choice = name;
      onChoice();
    };
    const letters = names.map(labels).join('').length;
    if (names.length > 2 && letters > MOST_LETTERS)
      this.choices.replaceChildren(this.#list(names, labels, choose));
    else this.choices.replaceChildren(...this.#buttons(names.length < 2 ? [] : names, labels, choose));
    if (focused?.dataset.choice !== undefined)
      this.choices.querySelector(`[data-choice="${CSS.escape(focused.dataset.choice)}"]`)?.focus();
    else if (focused !== undefined) this.choices.firstElementChild?.focus();
  }

  #buttons(names, labels, choose) {
    return names.map((name) =>
      element(
        'button',
        {
          type: 'button',
          'data-choice': name,
          'aria-pressed': String(name === this.choice),
          onclick: () => choose(name),
        },
        labels(name),
      ),
    );
  }

  #list(names, labels, choose) {
    const list = element(
      'select',
      { 'aria-label': `${this.options.title}: which value`, onchange: () => choose(list.value) },
      ...names.map((name) =>
        element('option', { value: name, selected: name === this.choice }, labels(name)),
      ),
    );
    return list;
  }

  /** Shows values: `{label, value, small?, color?, dash?}` each, and where they were taken. */
  say(chips, where) {
    this.readout.classList.toggle('dense', chips.length > MOST_CHIPS);
    this.readout.replaceChildren(
      ...chips.map(({ label, value, small, color, dash }) =>
        element(
          'span',
          { class: 'chip', title: label },
          color === undefined ? undefined : swatch(color, dash !== undefined),
          element('span', { class: 'label' }, `${label} `),
          element('b', {}, value),
          small === undefined ? undefined : element('small', {}, small),
        ),
      ),
      ...(where === undefined ? [] : [element('span', { class: 'chip at' }, where)]),
    );
  }
}
