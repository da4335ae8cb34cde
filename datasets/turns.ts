/** @file Where the assistant's turns lie in a rendered conversation, under any template. Text only; knows no tokens. */
import type { Message } from './chat.js';

/** From where generation would start to behind the mark that ends the turn, in UTF-16 units of the rendered text. */
export interface Turn {
  readonly start: number;
  readonly end: number;
}

/** A conversation as the template writes it. Undefined turns: the answer cannot be told from what is around it. */
export interface RenderedConversation {
  readonly text: string;
  /** By the assistant's messages, in their order. */
  readonly turns: readonly (Turn | undefined)[];
}

export type Render = (messages: readonly Message[], addGenerationPrompt: boolean) => string;

/**
 * Renders a conversation that ends with the assistant, and finds its turns.
 *
 * A turn begins where the prompt of that turn ends, if the conversation begins with it. Templates that write a prompt
 * differently once it is answered (without the thoughts of earlier turns, say) are asked again with a mark in place of the
 * answer: the turn begins where the mark stands. It ends with its conversation if that is how the whole begins; otherwise
 * with what the last turn ends with, as far as it is the same there.
 */
export function renderConversation(render: Render, messages: readonly Message[]): RenderedConversation {
  const text = render(messages, false);
  const last = messages.length - 1;
  const lastAnswer = answerIn(text, render, messages, last);
  const ending = lastAnswer && text.slice(lastAnswer.end);
  const turns = messages.flatMap(({ role }, at) => {
    if (role !== 'assistant') return [];
    const answer = at === last ? lastAnswer : answerIn(text, render, messages, at);
    const before = attempt(() => render(messages.slice(0, at), true));
    const start = before !== undefined && text.startsWith(before) ? before.length : answer?.start;
    const end = at === last ? text.length : endOf(text, render, messages.slice(0, at + 1), answer, ending);
    return [start === undefined || end === undefined || end < start ? undefined : { start, end }];
  });
  return { text, turns };
}

function endOf(
  text: string,
  render: Render,
  conversation: readonly Message[],
  answer: Turn | undefined,
  ending: string | undefined,
): number | undefined {
  const until = attempt(() => render(conversation, false));
  if (until !== undefined && text.startsWith(until)) return until.length;
  if (!answer || ending === undefined) return undefined;
  return answer.end + commonPrefix(text.slice(answer.end), ending);
}

/** The answer alone, by a mark in its place; undefined where the mark is lost or repeated, or changes what is around it. */
function answerIn(
  text: string,
  render: Render,
  messages: readonly Message[],
  at: number,
): Turn | undefined {
  const mark = markFor(messages);
  const marked = attempt(() =>
    render(
      messages.map((message, each) => (each === at ? { ...message, content: mark } : message)),
      false,
    ),
  );
  const start = marked?.indexOf(mark) ?? -1;
  if (marked === undefined || start < 0 || marked.includes(mark, start + 1)) return undefined;
  const after = marked.slice(start + mark.length);
  const end = text.length - after.length;
  return end >= start && text.startsWith(marked.slice(0, start)) && text.endsWith(after) ? { start, end } : undefined;
}

/** A private-use text that occurs in no message, with nothing to trim at its ends. */
function markFor(messages: readonly Message[]): string {
  let mark = '\uE000latstream\uE001';
  while (messages.some(({ content }) => content.includes(mark))) mark = `\uE000${mark}\uE001`;
  return mark;
}

/** Templates refuse some beginnings of a conversation, such as none. */
function attempt(render: () => string): string | undefined {
  try {
    return render();
  } catch {
    return undefined;
  }
}

export function commonPrefix<T extends string | readonly number[]>(a: T, b: T): number {
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return same;
}
