/** @file Templates rendered as transformers renders them, and the limits on what they may cost. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../datasets/chat/jinja.js';

const folder = 'tests/fixtures/templates';
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

type Rendered = string | { readonly error: string };
const { templates } = JSON.parse(read('rendered.json')) as {
  readonly templates: Readonly<Record<string, Readonly<Record<string, Record<'true' | 'false', Rendered>>>>>;
};
const conversations = JSON.parse(read('conversations.json')) as Readonly<Record<string, object[]>>;
const tokens = { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', tools: null, documents: null };
const then = new Date(2026, 2, 5, 14, 7, 9);

describe('compileTemplate', () => {
  it('has a rendering by transformers of every template', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.jinja'));
    expect(Object.keys(templates).map((name) => `${name}.jinja`)).toEqual(names.sort());
  });

  it.each(Object.keys(templates))('renders %s as transformers does', (name) => {
    const render = compileTemplate(read(`${name}.jinja`));
    for (const [conversation, expected] of Object.entries(templates[name]!))
      for (const prompt of ['true', 'false'] as const) {
        const rendered = (): string =>
          render(
            { ...tokens, messages: conversations[conversation], add_generation_prompt: prompt === 'true' },
            then,
          );
        const wanted = expected[prompt];
        if (typeof wanted === 'string') expect([conversation, rendered()]).toEqual([conversation, wanted]);
        else expect(rendered).toThrow(wanted.error);
      }
  });

  it.each([
    ['a giant loop', '{% for i in range(10**9) %}x{% endfor %}'],
    ['nested loops', '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}'],
    [
      'a text that doubles',
      "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    ],
    [
      'a text that doubles by join',
      "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = [n.s, n.s] | join %}{% endfor %}",
    ],
    [
      'large texts by the thousand',
      "{% set n = namespace(s='ab') %}{% for i in range(22) %}{% set n.s = n.s + n.s %}{% endfor %}{% for i in range(9999) %}{{ n.s | upper }}{% endfor %}",
    ],
    [
      'a list that doubles',
      '{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}',
    ],
    ['a macro that calls itself', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
    [
      'macros that call each other twice',
      '{% macro a(n) %}{% if n %}{{ a(n - 1) }}{{ a(n - 1) }}{% endif %}{% endmacro %}{{ a(60) }}',
    ],
    ['a giant source', '{% if true %}'.repeat(60_000)],
    ['deep nesting', '{{ ' + '('.repeat(50_000) + '1' + ')'.repeat(50_000) + ' }}'],
  ])('ends %s with an error', (_, source) => {
    expect(() => compileTemplate(source)({})).toThrow(/more than|call stack|Cannot call/);
  });
});
