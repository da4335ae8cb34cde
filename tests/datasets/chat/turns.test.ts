/** @file Whose tokens are whose, under the templates of every family: the assistant's turns and nothing else are the assistant's. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createChatTemplate, pack, tokenizeRow, type Message } from '../../../datasets/index.js';
import { compileTemplate } from '../../../datasets/chat/jinja.js';
import { commonText } from '../../../datasets/chat/spans.js';
import { renderConversation, type Render } from '../../../datasets/chat/turns.js';
import { byteTokenizer, labelContexts } from '../helpers.js';

const tokenizer = byteTokenizer();
const common = (a: string, b: string): number => commonText(tokenizer, a, b);
const source = (name: string): string => readFileSync(`tests/fixtures/templates/${name}.jinja`, 'utf8');
const trim = (text: string): string => text.trim();
const asItIs = (text: string): string => text;
const spoken = (text: string): string => text.split('</think>').at(-1)!;

/** What stands before and behind every answer, how the answer is written, and what ends the conversation. */
const FAMILIES: Readonly<
  Record<string, { head: string; answer: (text: string) => string; end: string; last?: string }>
> = {
  chatml: { head: '<|im_start|>assistant\n', answer: asItIs, end: '<|im_end|>\n' },
  'chatml-default-system': { head: '<|im_start|>assistant\n', answer: asItIs, end: '<|im_end|>\n' },
  'llama-2': { head: ' [/INST]', answer: (text) => ` ${trim(text)}`, end: ' </s>' },
  'llama-3': { head: 'assistant<|end_header_id|>\n\n', answer: trim, end: '<|eot_id|>' },
  'llama-3-dated': { head: 'assistant<|end_header_id|>\n\n', answer: trim, end: '<|eot_id|>' },
  mistral: { head: '[/INST]', answer: (text) => ` ${trim(text)}`, end: '</s>' },
  'gemma-2': { head: '<start_of_turn>model\n', answer: trim, end: '<end_of_turn>\n' },
  'phi-3': { head: '<|assistant|>\n', answer: asItIs, end: '<|end|>\n', last: '</s>' },
  zephyr: { head: '<|assistant|>\n', answer: asItIs, end: '</s>\n' },
  'begun-thought': { head: '<|Assistant|>', answer: spoken, end: '<|end_of_sentence|>' },
  'generation-marked': { head: '<|assistant|>', answer: (text) => `\n${text}`, end: '<|end|>\n' },
  'human-assistant': { head: 'Assistant:', answer: (text) => ` ${trim(text)}`, end: '', last: '\n' },
};

const words = fc
  .array(fc.constantFrom('a', 'Bc', ' ', '\n', 'é', '👋🏽', 'user', '<b>', '"', '{{', 'x y'), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join(''))
  .filter((text) => text.trim() !== '');
const answers = fc.oneof(
  words,
  fc.tuple(words, words).map(([thought, said]) => `<think>${thought}</think>${said}`),
);

/** Questions and answers by turns; the last one is an answer. */
const conversations = fc.array(fc.tuple(words, answers), { minLength: 1, maxLength: 4 }).map((turns) =>
  turns.flatMap(([user, assistant]): Message[] => [
    { role: 'user', content: user },
    { role: 'assistant', content: assistant },
  ]),
);

const renderer = (name: string): Render => {
  const render = compileTemplate(source(name));
  return (messages, answerable) =>
    render({
      messages,
      add_generation_prompt: answerable,
      tools: null,
      documents: null,
      bos_token: '<s>',
      eos_token: '</s>',
    });
};

describe('renderConversation', () => {
  it.each(Object.entries(FAMILIES))(
    'finds in %s every answer with its end of turn, behind what generation would start from',
    (name, { head, answer, end, last }) => {
      const render = renderer(name);
      fc.assert(
        fc.property(conversations, (messages) => {
          const { text, turns } = renderConversation(render, common, messages);
          const said = messages.filter(({ role }) => role === 'assistant');
          turns.forEach((turn, at) => {
            const ending = at === turns.length - 1 ? end + (last ?? '') : end;
            expect(text.slice(0, turn!.start).endsWith(head)).toBe(true);
            expect(text.slice(turn!.start, turn!.end)).toBe(answer(said[at]!.content) + ending);
          });
        }),
        { numRuns: 40 },
      );
    },
  );

  it('finds in a template that drops the thoughts of earlier turns what it keeps of each answer', () => {
    const render = renderer('chatml-thinking');
    fc.assert(
      fc.property(conversations, (messages) => {
        const { text, turns } = renderConversation(render, common, messages);
        const said = messages.filter(({ role }) => role === 'assistant');
        expect(turns).toHaveLength(said.length);
        turns.forEach((turn, at) => {
          const written = text.slice(turn!.start, turn!.end);
          expect(text.slice(0, turn!.start).endsWith('<|im_start|>assistant\n')).toBe(true);
          expect(written.endsWith(`${spoken(said[at]!.content).replace(/^\n+/, '')}<|im_end|>\n`)).toBe(true);
          expect(written.includes('</think>')).toBe(at === turns.length - 1);
          expect(written.includes('<|im_start|>')).toBe(false);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('finds none where the answer is written twice, or not at all', () => {
    const asked: Message[] = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'y' },
    ];
    const found = (template: string): unknown => {
      const render = compileTemplate(template);
      return renderConversation((messages, answerable) => render({ messages, answerable }), common, asked)
        .turns;
    };
    expect(
      found("{{ 'P' if answerable else 'Q' }}{{ messages[-1].content * 0 }}".replace(' * 0', ' | length')),
    ).toEqual([undefined]);
    expect(
      found("{{ 'P' if answerable else 'Q' }}{{ messages[-1].content ~ messages[-1].content }}"),
    ).toEqual([undefined]);
    expect(found("{{ 'P' if answerable else 'Q' }}{{ messages[-1].content }}!")).toEqual([
      { start: 1, end: 3 },
    ]);
  });
});

describe('the loss mask', () => {
  it.each([...Object.keys(FAMILIES), 'chatml-thinking'])(
    'predicts under %s the tokens of all turns, or of the last, and prompt and completion together are the whole',
    (name) => {
      const template = createChatTemplate(source(name), tokenizer);
      const render = renderer(name);
      fc.assert(
        fc.property(conversations, fc.constantFrom('last' as const, 'all' as const), (messages, turns) => {
          const example = tokenizeRow({ messages }, template, { context: 9999, turns, owner: 'test' })!;
          const { text, turns: found } = renderConversation(render, common, messages);
          expect([...example.prompt, ...example.desired]).toEqual(tokenizer.encode(text));
          const wanted = (turns === 'all' ? found : found.slice(-1)).map((turn) =>
            text.slice(turn!.start, turn!.end),
          );
          const labels = labelContexts(pack([example], { attacked: 'none' }));
          expect(
            tokenizer.decode(
              labels.map(({ target }) => target),
              { specialTokens: true },
            ),
          ).toBe(wanted.join(''));
          expect(labels.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 5);
          for (const { visible, target } of labels) {
            const seen = visible.map((key) => Number(key.split(':')[1]));
            expect([...example.prompt, ...example.desired].slice(0, seen.length + 1)).toEqual([
              ...seen,
              target,
            ]);
          }
        }),
        { numRuns: 15 },
      );
    },
  );
});
