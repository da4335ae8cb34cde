/** @file From messages to tokens, and which of them are the completion. Knows nothing about files of rows. */
import { Template } from '@huggingface/jinja';
import { openModelFolder } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { readJson, type JsonObject, type Tokenizer } from './tokenizer.js';

export interface Message {
  readonly role: string;
  readonly content: string;
}

/** A prompt's tokens and, separately, those of completions that may follow it. */
export interface Conversation {
  readonly prompt: readonly number[];
  /** As given; each ends with what the template puts after an answer, such as an end-of-turn token. */
  readonly completions: readonly (readonly number[])[];
}

export interface ChatTemplate {
  readonly tokenizer: Tokenizer;
  /** The text of a conversation. @throws CHAT_TEMPLATE where the template refuses these messages. */
  renderPrompt(messages: readonly Message[], addGenerationPrompt: boolean): string;
  /** Tokens that a model completes with the assistant's answer. */
  promptTokens(messages: readonly Message[]): number[];
  /**
   * Tokens of a prompt and of answers to it: those that follow the rendered prompt, so that losses are taken on
   * these alone and generation starts where training did.
   * @throws CHAT_TEMPLATE_PREFIX where the template renders an answered conversation that does not start with its prompt.
   */
  conversation(messages: readonly Message[], completions: readonly string[]): Conversation;
}

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
  const owner = options.owner ?? 'chat template';
  const template = attempt(owner, () => new Template(source));
  const bos = options.addBos && tokenizer.bos ? [tokenizer.bos.id] : [];
  const encode = (text: string): number[] => [...bos, ...tokenizer.encode(text, { specialTokens: false })];
  const renderPrompt = (messages: readonly Message[], addGenerationPrompt: boolean): string =>
    attempt(owner, () =>
      template.render({
        messages,
        add_generation_prompt: addGenerationPrompt,
        bos_token: tokenizer.bos?.text ?? '',
        eos_token: tokenizer.eos?.text ?? '',
        pad_token: tokenizer.pad?.text ?? '',
      }),
    );
  return {
    tokenizer,
    renderPrompt,
    promptTokens: (messages) => encode(renderPrompt(messages, true)),
    conversation(messages, completions) {
      const before = renderPrompt(messages, true);
      const prompt = encode(before);
      return {
        prompt,
        completions: completions.map((content) => {
          const whole = renderPrompt([...messages, { role: 'assistant', content }], false);
          if (!whole.startsWith(before)) return notPrefix(owner, before, whole);
          // Tokenized together where that leaves the prompt's tokens as they are: some tokenizers mark the start of a
          // text, which a completion is not.
          const joint = encode(whole);
          if (prompt.every((id, at) => joint[at] === id)) return joint.slice(prompt.length);
          return tokenizer.encode(whole.slice(before.length), { specialTokens: false });
        }),
      };
    },
  };
}

/** One template, or the one named `default` among several. */
function templateIn(config: JsonObject | undefined): string | undefined {
  const found = config?.['chat_template'];
  if (typeof found === 'string') return found;
  if (!Array.isArray(found)) return undefined;
  const named = found as { readonly name?: string; readonly template?: string }[];
  return (named.find(({ name }) => name === 'default') ?? named[0])?.template;
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

function notPrefix(owner: string, before: string, whole: string): never {
  let same = 0;
  while (same < before.length && before[same] === whole[same]) same++;
  return complain({
    code: 'CHAT_TEMPLATE_PREFIX',
    owner,
    expected: `an answered conversation that starts with its prompt, so …${JSON.stringify(before.slice(same, same + 40))}`,
    got: `…${JSON.stringify(whole.slice(same, same + 40))}`,
    hint: 'this template changes the prompt once it is answered: give a template of your own for training',
  });
}
