/** @file Dataset rows as tokenized examples: a prompt with the completions to train on. Knows nothing about batches. */
import { complain, LatstreamError } from '../foundation/index.js';
import { TextTooLong, type ChatTemplate, type Conversation, type ConversationOptions } from './chat/chat.js';
import { describe, textOf } from './columns.js';
import { labelledExample } from './labelled.js';
import { isText, textExample } from './text.js';
import type { Example, TokenizeOptions } from './example.js';
import type { Message } from './chat/turns.js';

/** Column paths of pairs. `prompt` holds text or a list of messages, the others text. */
export interface PairColumns {
  readonly prompt: string;
  readonly adversarial: string;
  readonly desired: string;
}

/** Column paths of benign examples: prompt and completion, or whole conversations that end with the assistant's answer. */
export type BenignColumns =
  { readonly prompt: string; readonly completion: string } | { readonly messages: string };

/**
 * Tokenizes the mapped values of one row ({@link PairColumns}, {@link BenignColumns}, `TextColumns` or `LabelledColumns`).
 * @returns undefined where it is too long and `overflow` is `drop`.
 * @throws SEQUENCE_TOO_LONG, EXAMPLE_EMPTY, DATASET_VALUE_TYPE, and what the template throws.
 */
export function tokenizeRow(
  values: Readonly<Record<string, unknown>>,
  template: ChatTemplate,
  options: TokenizeOptions,
): Example | undefined {
  if ('tokens' in values) return labelledExample(values, template.tokenizer.size, options);
  if (isText(values)) return textExample(values, template.tokenizer, options);
  const { messages, adversarial, desired } = partsOf(values, options.owner);
  const asked = withSystem(messages, options.system);
  const answers = adversarial === undefined ? [desired] : [desired, adversarial];
  const found = conversationOf(template, asked, answers, options);
  if (!found) return undefined;
  const { prompt, turns } = found;
  const room = options.overflow === 'cut' ? Math.max(0, options.context - prompt.length) : Infinity;
  const completions = found.completions.map((tokens) => tokens.slice(0, room));
  const [desiredTokens, adversarialTokens] = completions;
  const longest = Math.max(...completions.map((tokens) => tokens.length));
  if (prompt.length === 0 || completions.some((tokens) => tokens.length === 0))
    return empty(options.owner, prompt.length === 0 ? 'prompt' : 'completion');
  if (prompt.length + longest > options.context) {
    if (options.overflow === 'drop') return undefined;
    return tooLong(options, `${prompt.length + longest} (prompt ${prompt.length}, completion ${longest})`);
  }
  return {
    prompt,
    desired: desiredTokens as readonly number[],
    ...(adversarialTokens && { adversarial: adversarialTokens }),
    ...(turns.length > 0 && { turns }),
  };
}

/** Undefined where it is dropped. A text that no tokenization makes fit is not tokenized: a long one takes seconds. */
function conversationOf(
  template: ChatTemplate,
  messages: readonly Message[],
  answers: readonly string[],
  options: TokenizeOptions,
): Conversation | undefined {
  const wanted: ConversationOptions = {
    turns: options.turns === 'all',
    longest: options.context * template.tokenizer.longestToken,
  };
  try {
    return template.conversation(messages, answers, wanted);
  } catch (error) {
    if (error instanceof TextTooLong)
      return options.overflow === 'drop' ? undefined : tooLong(options, error.message);
    if (error instanceof LatstreamError) throw owned(error, options.owner);
    throw error;
  }
}

/** What a template complains about, with the row that it is about. */
function owned(error: LatstreamError, owner: string): LatstreamError {
  return new LatstreamError(
    { ...error.complaint, owner: `${owner}: ${error.complaint.owner}` },
    { cause: error },
  );
}

interface Parts {
  readonly messages: readonly Message[];
  readonly adversarial: string | undefined;
  readonly desired: string;
}

function partsOf(values: Readonly<Record<string, unknown>>, owner: string): Parts {
  if ('messages' in values) {
    const messages = messagesOf(values['messages'], `${owner}, messages`);
    const last = messages.at(-1);
    if (last?.role !== 'assistant')
      return complain({
        code: 'DATASET_VALUE_TYPE',
        owner: `${owner}, messages`,
        expected: 'a conversation that ends with the assistant',
        got: last ? `one that ends with ${last.role}` : 'no messages',
        hint: 'remove this row, or complete it',
      });
    return { messages: messages.slice(0, -1), adversarial: undefined, desired: last.content };
  }
  const { prompt, adversarial } = values;
  const messages =
    Array.isArray(prompt) && prompt.length > 0
      ? messagesOf(prompt, `${owner}, prompt`)
      : [{ role: 'user', content: textOf(prompt, `${owner}, prompt`) }];
  return {
    messages,
    adversarial: adversarial === undefined ? undefined : textOf(adversarial, `${owner}, adversarial`),
    desired: textOf(values['desired'] ?? values['completion'], `${owner}, completion`),
  };
}

function messagesOf(value: unknown, owner: string): Message[] {
  if (Array.isArray(value) && value.length > 0)
    return value.map((item: unknown, at) => {
      const message = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
      // Tables fill in null for what a message does not have; a template would write it out.
      const given = Object.entries(message).filter(([, field]) => field !== null);
      return {
        ...Object.fromEntries(given),
        role: textOf(message['role'], `${owner}, message ${at}, role`),
        content: textOf(message['content'], `${owner}, message ${at}, content`),
      };
    });
  return complain({
    code: 'DATASET_VALUE_TYPE',
    owner,
    expected: 'a list of messages with role and content',
    got: describe(value),
    hint: 'map this name to a column of conversations',
  });
}

function withSystem(messages: readonly Message[], system: string | undefined): readonly Message[] {
  if (system === undefined || messages[0]?.role === 'system') return messages;
  return [{ role: 'system', content: system }, ...messages];
}

function empty(owner: string, part: string): never {
  return complain({
    code: 'EXAMPLE_EMPTY',
    owner,
    expected: `a ${part} of at least one token`,
    got: 'none',
    hint: 'remove this row, or use a chat template, which adds tokens around it',
  });
}

function tooLong(options: TokenizeOptions, got: string): never {
  return complain({
    code: 'SEQUENCE_TOO_LONG',
    owner: options.owner,
    expected: `at most ${options.context} tokens, the model's context`,
    got,
    hint: "remove or shorten this row, or set overflow to 'drop' to leave such rows out",
  });
}
