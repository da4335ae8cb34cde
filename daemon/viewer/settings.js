/** @file What may be changed of a run: fields with what the recipe says, what was asked for and not taken yet, and refusals. */
import { element, setText } from '../../monitor/viewer/dom.js';
import { armName, number } from '../../monitor/viewer/format.js';

/** As the request has them. */
const FIELDS = {
  learningRate: { label: 'Learning rate', step: 'any' },
  epsilon: { label: 'ε', step: 'any' },
  evaluateEvery: { label: 'Steps between evaluations', step: '1' },
};
const OVER = ['done', 'cancelled'];

/** A form that keeps what is being typed. */
export class SettingsForm {
  #inputs;
  #run;
  #known;
  #asked = element('span', { class: 'asked', role: 'status' });
  #said = element('p', { class: 'refused', role: 'alert' });
  #button = element('button', {}, 'Change');
  #scope = element('span', { class: 'dim' });
  #busy = false;

  /**
   * @param name of the run. @param describe gives its description
   * @param change asks for settings; resolves with what was wrong, or undefined
   * @param taken(arm) gives what has been changed of an arm already, as far as that is known
   */
  constructor(name, { describe, change, taken }) {
    Object.assign(this, { change, taken });
    const fields = Object.entries(FIELDS).map(([key, { label, step }]) => [
      key,
      element('input', {
        ...{ type: 'number', name: key, min: '0', step, 'aria-label': `${label} of ${name}` },
        onkeydown: (event) => keepArrows(event, step),
      }),
      label,
    ]);
    this.#inputs = new Map(fields.map(([key, input]) => [key, input]));
    this.form = element(
      'form',
      { novalidate: true, onsubmit: (event) => void this.#submit(event) },
      ...fields.map(([, input, label]) => element('label', { class: 'dim' }, `${label} `, input)),
      this.#button,
      this.#scope,
      this.#said,
    );
    this.form.addEventListener('keydown', (event) => event.key === 'Escape' && this.#leave());
    const summary = element('summary', { 'aria-label': `Settings of ${name}` }, 'Settings');
    this.root = element(
      'div',
      { class: 'settings' },
      element('details', {}, summary, this.form),
      this.#asked,
    );
    this.root.firstElementChild.ontoggle = async ({ target }) => {
      if (!target.open) return;
      this.#known = await describe();
      this.#hint();
    };
  }

  /** @param mayChange whether the token's holder controls */
  update(run, mayChange) {
    this.#run = run;
    this.root.hidden = OVER.includes(run.state);
    for (const control of [this.#button, ...this.#inputs.values()]) control.disabled = !mayChange;
    const asked = Object.entries(FIELDS).filter(([key]) => run.asked[key] !== undefined);
    const list = asked.map(([key, { label }]) => `${label} ${number(run.asked[key])}`).join(', ');
    this.#asked.hidden = asked.length === 0;
    setText(this.#asked, asked.length === 0 ? '' : `asked: ${list}, until the next step takes it`);
    this.#hint();
  }

  /** What holds for the arm that trains, or will be next, in the empty fields. */
  #hint() {
    const { settings = {}, arms = [] } = this.#known ?? {};
    const arm = armName(this.#run?.live?.progress?.part ?? arms[0] ?? '');
    const which = arm === '' ? 'the arm that trains' : arm;
    setText(this.#scope, `from the next step of ${which}, and for that arm alone`);
    const said = settings[arm];
    if (said === undefined) return;
    const now = { ...said, ...this.taken(arm) };
    for (const [key, input] of this.#inputs) {
      input.placeholder = said[key] === undefined ? 'none here' : String(now[key]);
      input.disabled ||= said[key] === undefined;
    }
  }

  /** Back to where it was unfolded, with nothing typed. */
  #leave() {
    this.form.reset();
    for (const [, input] of this.#inputs) input.removeAttribute('aria-invalid');
    setText(this.#said, '');
    const details = this.root.firstElementChild;
    details.open = false;
    details.firstElementChild.focus();
  }

  async #submit(event) {
    event.preventDefault();
    const filled = [...this.#inputs].filter(([, { value, validity }]) => value !== '' || validity.badInput);
    const wrong = filled.find(([, input]) => !input.checkValidity());
    for (const [, input] of this.#inputs) input.setAttribute('aria-invalid', String(!input.checkValidity()));
    if (wrong !== undefined) {
      const [key, input] = wrong;
      setText(this.#said, `${FIELDS[key].label}: ${input.validationMessage}`);
      input.focus();
      return;
    }
    if (filled.length === 0) {
      setText(this.#said, 'Nothing to change: fill a field.');
      return;
    }
    if (this.#busy) return;
    this.#busy = true; // the button keeps the focus, which a disabled one would lose
    const refused = await this.change(
      Object.fromEntries(filled.map(([key, { valueAsNumber }]) => [key, valueAsNumber])),
    );
    this.#busy = false;
    setText(this.#said, refused ?? '');
    if (refused === undefined) this.form.reset();
  }
}

/** Arrows would make 1.003 of 0.003. */
function keepArrows(event, step) {
  if (step === 'any' && ['ArrowUp', 'ArrowDown'].includes(event.key)) event.preventDefault();
}
