/** @file What the arms of runs answered to one question: without an attack, and under one. */
import { element, setText } from './dom.js';
import { words } from './format.js';

const find = (id) => document.getElementById(id);
const PLAIN = 'direct';

export class Answers {
  #index = 0;
  #questions = 0;
  #replies = new Map();
  #runs = [];
  #asked = '';

  /**
   * @param ask resolves with what was answered: of a run by its id, to a question by its number
   * @param label what an arm `ID/ARM` is called. @param failed is told what went wrong
   */
  constructor(ask, label, failed) {
    this.ask = ask;
    this.label = label;
    this.failed = failed;
    find('previous').onclick = () => this.#turn(-1);
    find('following').onclick = () => this.#turn(1);
    find('under').onchange = () => this.#draw();
  }

  /** Asks anew where there are other runs `{id, mark}`, or a mark has changed. */
  async show(runs) {
    this.#runs = runs;
    const key = JSON.stringify([this.#index, runs.map(({ id, mark }) => [id, mark])]);
    if (key === this.#asked) return;
    this.#asked = key;
    const replies = await Promise.all(runs.map(async ({ id }) => [id, await this.ask(id, this.#index)]));
    if (key !== this.#asked) return;
    this.#replies = new Map(replies);
    this.#questions = Math.max(0, ...replies.map(([, { questions }]) => questions));
    this.#draw();
  }

  #turn(by) {
    this.#index = (this.#index + by + this.#questions) % Math.max(1, this.#questions);
    this.show(this.#runs).catch((error) => {
      this.#asked = '';
      this.failed(error);
    });
  }

  #draw() {
    const arms = new Map();
    for (const [id, { answers }] of this.#replies)
      for (const answer of answers) {
        const run = `${id}/${answer.arm}`;
        arms.set(run, (arms.get(run) ?? new Map()).set(answer.under, answer));
      }
    find('samples').hidden = this.#questions === 0;
    setText(find('question'), `question ${this.#index + 1} of ${this.#questions}`);
    const attacks = new Set([...arms.values()].flatMap((answers) => [...answers.keys()]));
    attacks.delete(PLAIN);
    this.#offer([...attacks]);
    const columns = [PLAIN, find('under').value].filter((under) => under !== '');
    find('answers').replaceChildren(
      ...[...arms].map(([run, answers]) => this.#armRow(run, answers, columns)),
    );
  }

  #armRow(run, answers, columns) {
    const cells = columns.map((under) => {
      const answer = answers.get(under);
      return element(
        'div',
        { class: 'answer', 'data-outcome': answer?.outcome },
        element(
          'p',
          { class: 'dim' },
          under === PLAIN ? 'without an attack' : `under ${words(under)}`,
          answer && element('span', { class: 'outcome' }, answer.outcome),
        ),
        answer && element('blockquote', { class: 'dim' }, answer.request),
        element(
          'p',
          { class: 'said' },
          answer?.given ? element('mark', { title: 'put into its mouth' }, answer.given) : undefined,
          answer?.generated ?? '–',
        ),
      );
    });
    return element('article', { class: 'details' }, element('h3', {}, this.label(run)), ...cells);
  }

  /** Attacks to choose from; the one that was chosen stays. */
  #offer(names) {
    const select = find('under');
    const shown = JSON.stringify(names);
    if (select.dataset.shown === shown) return;
    select.dataset.shown = shown;
    const before = select.value;
    select.replaceChildren(...names.map((name) => element('option', { value: name }, words(name))));
    select.value = [before, 'latent', ...names].find((name) => names.includes(name)) ?? '';
    select.parentElement.hidden = names.length === 0;
  }
}
