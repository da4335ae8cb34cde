/** @file Chat templates in Jinja, alone and in a tokenizer's configuration. */
import fc from 'fast-check';
import { createTokenizer, loadChatTemplate, PLAIN_TEMPLATE } from '../../../datasets/index.js';
import { byteMutation, wordMutation } from '../bytes.js';
import { jsonMutation } from '../json.js';
import { Broken, type Target } from '../target.js';
import { bpe, names } from './tokenizer.js';

const CHATML =
  "{%- if messages[0]['role'] == 'system' %}{{ messages[0]['content'] | trim }}{%- endif %}{% for message in messages %}" +
  "{{ '<|user|>' + message.role + '\\n' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|user|>assistant\\n' }}{% endif %}" +
  "{% macro m(x) %}{{ x }}{% endmacro %}{% set ns = namespace(n=0) %}{{ m('') }}";

const WORDS = [
  ...['{{', '}}', '{%', '%}', '{#', '#}', '(', ')', '[', ']', '-', '~', '|', '.', "'", '"', ' ', '\n', '\\'],
  ...[
    '{% for i in range(3) %}',
    '{% endfor %}',
    '{% if true %}',
    '{% else %}',
    '{% endif %}',
    '{% set x = x ~ x %}',
    '{% macro m() %}',
    '{% endmacro %}',
    '{{ m() }}',
  ],
  ...[
    '{{ messages | tojson }}',
    '{{ raise_exception("no") }}',
    '{{ messages.__proto__ }}',
    '{{ "".constructor }}',
    '{{ x.y.z }}',
    '{{ range(10) | list }}',
    '{{ "a" * 9 }}',
    '{{ 1 / 0 }}',
    'not ',
    'is defined ',
  ],
];

export const template: Target = {
  name: 'template',
  weight: 3,
  async seeds() {
    const config = {
      chat_template: [
        { name: 'tool', template: 'x' },
        { name: 'default', template: PLAIN_TEMPLATE },
      ],
    };
    return [
      { 'chat_template.jinja': Buffer.from(CHATML) },
      { 'tokenizer_config.json': Buffer.from(JSON.stringify(config)) },
      { 'tokenizer_config.json': Buffer.from(JSON.stringify({ chat_template: CHATML })) },
    ];
  },
  mutations: (file) =>
    file.endsWith('.json')
      ? fc.oneof(
          { weight: 3, arbitrary: jsonMutation },
          { weight: 1, arbitrary: wordMutation(WORDS) },
          { weight: 1, arbitrary: byteMutation },
        )
      : fc.oneof({ weight: 2, arbitrary: wordMutation(WORDS) }, { weight: 1, arbitrary: byteMutation }),
  async run(folder) {
    const chat = await loadChatTemplate(folder, createTokenizer(bpe, names));
    const messages = [{ role: 'user', content: 'Hi' }];
    if (typeof chat.renderPrompt(messages, true) !== 'string') throw new Broken('no text');
    const { prompt } = chat.conversation(messages, ['Hello']);
    if (!prompt.every(Number.isInteger)) throw new Broken('no tokens');
  },
};
