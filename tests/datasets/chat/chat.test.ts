/** @file Laws of chat templates, tokenization of rows, and the loss mask. */
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  loadChatTemplate,
  pack,
  tokenizeRow,
  type Message,
} from '../../../datasets/index.js';
import { byteTokenizer, labelContexts, temporaryFolder } from '../helpers.js';

const CHATML =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';

const piece = fc.constantFrom('', '\n', ' ', '<|end|>', 'Human: ', '<|user|>', '[/INST] ', '### ');

/** Templates whose prompt is what stands before the answer, as in models in the wild. */
const templates = fc
  .record({
    start: fc.constantFrom('', '{{ bos_token }}', 'A chat.\n'),
    beforeUser: piece,
    afterUser: piece,
    beforeAnswer: fc.constantFrom('<|assistant|>', '\nBot:', 'A: ', '<|assistant|>\n'),
    afterAnswer: fc.constantFrom('{{ eos_token }}', '<|end|>\n', '\n\n'),
    content: fc.constantFrom("m['content']", "m['content'] | trim"),
  })
  .map(({ start, beforeUser, afterUser, beforeAnswer, afterAnswer, content }) =>
    [
      `${start}{% for m in messages %}{% if m['role'] == 'assistant' %}`,
      `${beforeAnswer.replaceAll('\n', "{{ '\\n' }}")}{{ ${content} }}${afterAnswer.replaceAll('\n', "{{ '\\n' }}")}`,
      `{% else %}${beforeUser.replaceAll('\n', "{{ '\\n' }}")}{{ ${content} }}${afterUser.replaceAll('\n', "{{ '\\n' }}")}{% endif %}`,
      `{% endfor %}{% if add_generation_prompt %}${beforeAnswer.replaceAll('\n', "{{ '\\n' }}")}{% endif %}`,
    ].join(''),
  );

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const words = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((content) => content.trim() !== '');
const keep = { specialTokens: true };

describe('conversation', () => {
  it('splits the rendered text at the end of the prompt: what the tokens decode to is what was rendered', () => {
    const tokenizer = byteTokenizer();
    fc.assert(
      fc.property(templates, text, words, words, (source, request, refusal, answer) => {
        const template = createChatTemplate(source, tokenizer);
        const messages: Message[] = [{ role: 'user', content: request }];
        const prompt = template.renderPrompt(messages, true);
        const { prompt: tokens, completions } = template.conversation(messages, [refusal, answer]);
        expect(tokens).toEqual(template.promptTokens(messages));
        expect(tokenizer.decode(tokens, keep)).toBe(prompt);
        [refusal, answer].forEach((content, at) => {
          const whole = template.renderPrompt([...messages, { role: 'assistant', content }], false);
          expect(tokenizer.decode([...tokens, ...completions[at]!], keep)).toBe(whole);
        });
      }),
    );
  });

  it('aligns the loss mask with the target tokens under any template', () => {
    const tokenizer = byteTokenizer();
    fc.assert(
      fc.property(templates, words, words, words, (source, prompt, adversarial, desired) => {
        const template = createChatTemplate(source, tokenizer);
        const example = tokenizeRow({ prompt, adversarial, desired }, template, {
          context: 2048,
          owner: 'test',
        })!;
        const asked: Message[] = [{ role: 'user', content: prompt }];
        const before = template.renderPrompt(asked, true);
        const labels = labelContexts(pack([example]));
        for (const [completion, content] of [
          ['adversarial', adversarial],
          ['desired', desired],
        ] as const) {
          const targets = labels.filter((label) => label.completion === completion);
          const whole = template.renderPrompt([...asked, { role: 'assistant', content }], false);
          const targetText = tokenizer.decode(
            targets.map((label) => label.target),
            keep,
          );
          expect(before + targetText).toBe(whole);
          const seen = targets.at(-1)!.visible.map((key) => Number(key.split(':')[1]));
          expect(tokenizer.decode([...seen, targets.at(-1)!.target], keep)).toBe(whole);
        }
      }),
    );
  });

  it('tokenizes a completion as the continuation that it is, where the tokenizer marks the start of a text', () => {
    const tokenizer = byteTokenizer({ prefixed: true });
    const source =
      "{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}{{ 'a:' if add_generation_prompt }}";
    const template = createChatTemplate(source, tokenizer);
    const { prompt, completions } = template.conversation([{ role: 'user', content: 'x' }], ['y']);
    expect(tokenizer.encode('y;')).toHaveLength(3);
    expect(completions[0]).toHaveLength(2);
    expect([...prompt, ...completions[0]!]).toEqual(tokenizer.encode('u:x;a:y;'));
  });

  it('adds no BOS to a template, one BOS to plain text, and never two', async () => {
    const tokenizer = byteTokenizer({ addsBos: true });
    const messages = [{ role: 'user', content: 'hi' }];
    const bos = (ids: readonly number[]): number => ids.filter((id) => id === 1).length;
    const plain = await loadChatTemplate(await temporaryFolder(), tokenizer);
    expect(bos(plain.promptTokens(messages))).toBe(1);
    expect(bos(createChatTemplate(`{{ bos_token }}${CHATML}`, tokenizer).promptTokens(messages))).toBe(1);
    expect(bos(createChatTemplate(CHATML, tokenizer).promptTokens(messages))).toBe(0);
    expect(bos(tokenizer.encode('<s>hi'))).toBe(1);
    expect(bos(plain.promptTokens([{ role: 'user', content: '<s>hi' }]))).toBe(1);
  });

  it('says so where a template refuses the messages, rewrites its prompt, or does not parse', () => {
    const tokenizer = byteTokenizer();
    const refusing = createChatTemplate("{{ raise_exception('no system message') }}", tokenizer);
    expect(() => refusing.promptTokens([])).toThrow(/no system message.*check the roles/s);
    const rewriting = createChatTemplate("{{ 'a' if add_generation_prompt else 'b' }}", tokenizer);
    expect(() => rewriting.conversation([], ['x'])).toThrow('the answer stands once');
    expect(() => createChatTemplate('{% for %}', tokenizer)).toThrow('Jinja template');
  });
});

describe('loadChatTemplate', () => {
  it('prefers an override, then chat_template.jinja, then tokenizer_config.json, then plain text', async () => {
    const folder = await temporaryFolder();
    const tokenizer = byteTokenizer();
    const rendered = async (override?: string): Promise<string> =>
      (await loadChatTemplate(folder, tokenizer, override)).renderPrompt(
        [{ role: 'assistant', content: 'x' }],
        true,
      );
    expect(await rendered()).toBe('x</s>');
    const named = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'config' },
    ];
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ chat_template: named }));
    expect(await rendered()).toBe('config');
    await writeFile(join(folder, 'chat_template.jinja'), 'file');
    expect(await rendered()).toBe('file');
    expect(await rendered('override')).toBe('override');
  });
});

describe('tokenizeRow', () => {
  const template = createChatTemplate(CHATML, byteTokenizer());
  const options = { context: 64, owner: 'dataset x, row 3' };

  it('names row, length and context of a row that is too long, or drops it, and counts the longer completion', () => {
    // <|user|> h i <|end|> \n <|assistant|> = 6 tokens; a completion adds <|end|> \n.
    const row = { prompt: 'hi', adversarial: 'a'.repeat(56), desired: 'b' };
    expect(tokenizeRow(row, template, options)?.adversarial).toHaveLength(58);
    const longer = { ...row, adversarial: 'a'.repeat(57) };
    expect(() => tokenizeRow(longer, template, options)).toThrow(
      /dataset x, row 3: expected at most 64 tokens.*got 65 \(prompt 6, completion 59\)/,
    );
    expect(tokenizeRow(longer, template, { ...options, overflow: 'drop' })).toBeUndefined();
  });

  it('reads conversations, puts a system message first, and keeps one that is there', () => {
    const user = { role: 'user', content: 'hi' };
    const answer = { role: 'assistant', content: 'yo' };
    const expected = tokenizeRow({ prompt: 'hi', completion: 'yo' }, template, options);
    expect(tokenizeRow({ messages: [user, answer] }, template, options)).toEqual(expected);
    expect(tokenizeRow({ prompt: [user], completion: 'yo' }, template, options)).toEqual(expected);
    const system = { ...options, system: 'be' };
    const withSystem = tokenizeRow({ prompt: 'hi', completion: 'yo' }, template, system);
    const explicit = { messages: [{ role: 'system', content: 'be' }, user, answer] };
    expect(withSystem).not.toEqual(expected);
    expect(tokenizeRow(explicit, template, system)).toEqual(withSystem);
  });

  it('refuses what is not text, not a conversation, or empty', () => {
    const code = (values: Record<string, unknown>): unknown => {
      try {
        return tokenizeRow(
          values,
          createChatTemplate("{{ messages[-1]['content'] }}", byteTokenizer()),
          options,
        );
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code({ prompt: 3, completion: 'x' })).toBe('DATASET_VALUE_TYPE');
    expect(code({ messages: [{ role: 'user', content: 'x' }] })).toBe('DATASET_VALUE_TYPE');
    expect(code({ messages: [{ role: 'user' }] })).toBe('DATASET_VALUE_TYPE');
    expect(code({ messages: 'x' })).toBe('DATASET_VALUE_TYPE');
    expect(code({ prompt: '', completion: '' })).toBe('EXAMPLE_EMPTY');
  });
});
