/** @file From messages to tokens, and which of them are the assistant's. Knows nothing about files of rows. */
import { openModelFolder } from '../../formats/index.js';
import { complain } from '../../foundation/index.js';
import { withinTime } from '../deadline.js';
import { compileTemplate } from './jinja.js';
import { specialTexts, type JsonObject } from './special-tokens.js';
import { readJson, type Tokenizer } from './tokenizer.js';
import { commonPrefix, commonText, continuation, spanOf, type Span } from './spans.js';
import { renderConversation, type Message, type Render, type RenderedConversation } from './turns.js';

/** A prompt's tokens and, separately, those of completions that may follow it. */
export interface Conversation {
  readonly prompt: readonly number[];
  /** As given; each ends with what the template puts after an answer, such as an end-of-turn token. */
  readonly completions: readonly (readonly number[])[];
  /** The prompt's tokens that are the assistant's own: its earlier turns, in order, where they were asked for. */
  readonly turns: readonly Span[];
}

export interface ConversationOptions {
  /** Finds the assistant's earlier turns too (default: no). */
  readonly turns?: boolean;
  /** Most UTF-16 units of text that are worth tokenizing. */
  readonly longest?: number;
}

/** What a template is made of, as plain data, so that another thread can make the same. */
export interface TemplateSpec {
  readonly source: string;
  readonly addBos: boolean;
  readonly owner: string;
}

export interface ChatTemplate {
  readonly tokenizer: Tokenizer;
  readonly spec: TemplateSpec;
  /** The text of a conversation. @throws CHAT_TEMPLATE where the template refuses these messages. */
  renderPrompt(messages: readonly Message[], addGenerationPrompt: boolean): string;
  /** Tokens that a model completes with the assistant's answer. */
  promptTokens(messages: readonly Message[]): number[];
  /**
   * Tokens of a prompt and of answers to it. The prompt is what stands before the answer in the answered conversation,
   * so that losses are taken on answers alone: as generation would start, or, under a template that writes a prompt
   * differently once it is answered, as that conversation has it.
   * @throws CHAT_TEMPLATE, CHAT_TEMPLATE_ANSWER where an answer cannot be told from the text around it, {@link TextTooLong}.
   */
  conversation(
    messages: readonly Message[],
    completions: readonly string[],
    options?: ConversationOptions,
  ): Conversation;
}

/** A text that was not tokenized, for its length. */
export class TextTooLong extends Error {
  constructor(readonly length: number) {
    super(`a text of ${length} characters`);
  }
}

/** A template takes a thousandth of a second. */
const COMPILE_MILLISECONDS = 10_000;

/** For models without a template: the texts as they are, and EOS after an answer. */
export const PLAIN_TEMPLATE =
  "{% for message in messages %}{{ message['content'] }}{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}";

/**
 * The chat template of a model folder: chat_template.jinja, or `chat_template` in tokenizer_config.json, or
 * {@link PLAIN_TEMPLATE} (for which the tokenizer adds its BOS).
 * @param override a template to use instead.
 */
export async function loadChatTemplate(
  folder: string,
  tokenizer: Tokenizer,
  override?: string,
): Promise<ChatTemplate> {
  const model = await openModelFolder(folder);
  const source =
    override ??
    (await model.text('chat_template.jinja')) ??
    (await model.text('additional_chat_templates/default.jinja')) ??
    templateIn(await readJson(model, 'tokenizer_config.json'));
  return source === undefined
    ? createChatTemplate(PLAIN_TEMPLATE, tokenizer, { addBos: tokenizer.addsBos, owner: `model ${folder}` })
    : createChatTemplate(source, tokenizer, { owner: `chat template of ${folder}` });
}

/**
 * A chat template from its Jinja source.
 * @param options.addBos puts BOS before the rendered text (templates usually write it themselves).
 * @throws CHAT_TEMPLATE where the source does not parse.
 */
export function createChatTemplate(
  source: string,
  tokenizer: Tokenizer,
  options: { readonly addBos?: boolean; readonly owner?: string } = {},
): ChatTemplate {
  const spec = { source, addBos: options.addBos ?? false, owner: options.owner ?? 'chat template' };
  const compiled = attempt(spec.owner, () => withinTime(COMPILE_MILLISECONDS, () => compileTemplate(source)));
  const texts = specialTexts(tokenizer.files.config);
  const encode = (text: string): number[] => {
    const tokens = tokenizer.encode(text, { specialTokens: false });
    const bos = spec.addBos && tokenizer.bos?.id;
    return typeof bos === 'number' && tokens[0] !== bos ? [bos, ...tokens] : tokens;
  };
  const renderPrompt = (messages: readonly Message[], answerable: boolean): string =>
    attempt(spec.owner, () =>
      compiled({ ...texts, messages, tools: null, documents: null, add_generation_prompt: answerable }),
    );
  return {
    tokenizer,
    spec,
    renderPrompt,
    promptTokens: (messages) => encode(renderPrompt(messages, true)),
    conversation(messages, completions, { turns = false, longest = Infinity } = {}) {
      let asked: string | undefined;
      const render: Render = (each, answerable) =>
        answerable && each.length === messages.length
          ? (asked ??= renderPrompt(messages, true)) // The same before every answer.
          : renderPrompt(each, answerable);
      const answered = completions.map((content) =>
        renderConversation(
          render,
          (a, b) => commonText(tokenizer, a, b),
          [...messages, { role: 'assistant', content }],
          turns ? 'all' : 'last',
        ),
      );
      const length = Math.max(...answered.map(({ text }) => text.length));
      if (length > longest) throw new TextTooLong(length);
      const before = commonPrompt(spec.owner, answered);
      const prompt = { text: before, tokens: encode(before) };
      const earlier = turns ? (answered[0]?.turns.slice(0, -1) ?? []) : [];
      return {
        prompt: prompt.tokens,
        completions: answered.map(({ text }) => continuation(encode, text, prompt)),
        turns: earlier.map((turn) => spanOf(tokenizer, encode, prompt, turn ?? notFound(spec.owner, before))),
      };
    },
  };
}

/** What stands before the answer, the same in all of them. */
function commonPrompt(owner: string, answered: readonly RenderedConversation[]): string {
  const prompts = answered.map(({ text, turns }) => {
    const turn = turns.at(-1) ?? notFound(owner, text);
    return text.slice(0, turn.start);
  });
  const [first = ''] = prompts;
  const other = prompts.find((prompt) => prompt !== first);
  if (other === undefined) return first;
  const same = commonPrefix(first, other);
  return complain({
    code: 'CHAT_TEMPLATE_ANSWER',
    owner,
    expected: `the same prompt before each answer, so …${JSON.stringify(first.slice(same, same + 40))}`,
    got: `…${JSON.stringify(other.slice(same, same + 40))}`,
    hint: 'this template writes a prompt by what is answered: give a template of your own for training',
  });
}

/** One template, or the one named `default` among several. */
function templateIn(config: JsonObject | undefined): string | undefined {
  const found = config?.['chat_template'];
  if (typeof found === 'string') return found;
  if (!Array.isArray(found)) return undefined;
  const named = found as ({ readonly name?: string; readonly template?: string } | null)[];
  return (named.find((each) => each?.name === 'default') ?? named[0])?.template;
}

function attempt<T>(owner: string, render: () => T): T {
  try {
    return render();
  } catch (error) {
    return complain(
      {
        code: 'CHAT_TEMPLATE',
        owner,
        expected: 'a Jinja template that accepts these messages',
        got: error instanceof Error ? error.message : String(error),
        hint: 'check the roles (some templates take no system message), or give a template of your own',
      },
      { cause: error },
    );
  }
}

function notFound(owner: string, text: string): never {
  return complain({
    code: 'CHAT_TEMPLATE_ANSWER',
    owner,
    expected: 'an answered conversation in which the answer stands once, and nothing around it depends on it',
    got: JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text),
    hint: 'this template hides where the answer begins: give a template of your own for training',
  });
}
