/** @file Where the assistant's turns lie in a rendered conversation, under any template. Text only; knows no tokens. */

export interface Message {
  readonly role: string;
  readonly content: string;
  /** Whatever else a template may ask for, such as `name`, `tool_calls` or `reasoning_content`. */
  readonly [other: string]: unknown;
}

/** From where generation would start to behind the mark that ends the turn, in UTF-16 units of the rendered text. */
export interface Turn {
  readonly start: number;
  readonly end: number;
}

/** A conversation as a template writes it. An undefined turn cannot be told from what is around it. */
export interface RenderedConversation {
  readonly text: string;
  /** By the assistant's messages, in their order. */
  readonly turns: readonly (Turn | undefined)[];
}

/** The text of a conversation. @param answerable ends it with what an answer follows. */
export type Render = (messages: readonly Message[], answerable: boolean) => string;

/** The length of what two texts begin with together, in whole tokens. */
export type Common = (a: string, b: string) => number;

/**
 * Renders a conversation that ends with the assistant, and finds its turns.
 *
 * A turn begins where the prompt of that turn ends, if that is how the whole begins. Some templates write a prompt
 * differently once it is answered, without the thoughts of earlier turns, say. They are asked again with a mark in
 * place of the answer, and the turn begins where the mark stands. It ends with the conversation so far, if that is how
 * the whole begins, or else with what follows the last answer, as far as the same follows this one.
 * @param wanted whether to find all turns, or the last alone.
 */
export function renderConversation(
  render: Render,
  common: Common,
  messages: readonly Message[],
  wanted: 'all' | 'last' = 'all',
): RenderedConversation {
  const rendered = new Rendered(render, common, messages);
  const asked = messages.map((message, at) => ({ ...message, at })).slice(wanted === 'last' ? -1 : 0);
  const turns = asked.flatMap(({ role, at }) => (role === 'assistant' ? [rendered.turn(at)] : []));
  return { text: rendered.text, turns };
}

class Rendered {
  readonly text: string;
  private readonly last: number;

  constructor(
    private readonly render: Render,
    private readonly common: Common,
    private readonly messages: readonly Message[],
  ) {
    this.text = render(messages, false);
    this.last = messages.length - 1;
  }

  turn(at: number): Turn | undefined {
    const start = this.beginning(this.messages.slice(0, at), true) ?? this.answerStart(at);
    const end = at === this.last ? this.text.length : this.end(at);
    return start === undefined || end === undefined || end < start ? undefined : { start, end };
  }

  private end(at: number): number | undefined {
    const until = this.beginning(this.messages.slice(0, at + 1), false);
    if (until !== undefined) return until;
    const [end, last] = [this.answerEnd(at), this.answerEnd(this.last)];
    if (end === undefined || last === undefined) return undefined;
    return end + this.common(this.text.slice(end), this.text.slice(last));
  }

  /** The length of a shorter conversation, if the whole begins with it. */
  private beginning(messages: readonly Message[], answerable: boolean): number | undefined {
    const text = this.attempt(messages, answerable);
    return text !== undefined && this.text.startsWith(text) ? text.length : undefined;
  }

  private answerStart(at: number): number | undefined {
    const around = this.around(at);
    return around && this.text.startsWith(around.before) ? around.before.length : undefined;
  }

  private answerEnd(at: number): number | undefined {
    const around = this.around(at);
    return around && this.text.endsWith(around.after) ? this.text.length - around.after.length : undefined;
  }

  /** What stands around a mark in place of an answer; undefined where it is lost or repeated. */
  private around(at: number): { readonly before: string; readonly after: string } | undefined {
    const mark = markFor(this.messages);
    const messages = this.messages.map((message, each) =>
      each === at ? { ...message, content: mark } : message,
    );
    const [before, after, ...more] = this.attempt(messages, false)?.split(mark) ?? [];
    return before === undefined || after === undefined || more.length > 0 ? undefined : { before, after };
  }

  /** Templates refuse some beginnings of a conversation, such as none. */
  private attempt(messages: readonly Message[], answerable: boolean): string | undefined {
    try {
      return this.render(messages, answerable);
    } catch {
      return undefined;
    }
  }
}

/** A private-use text that occurs in no message, with nothing to trim at its ends and no upper case. */
function markFor(messages: readonly Message[]): string {
  let mark = '\uE000answer\uE001';
  while (messages.some(({ content }) => content.includes(mark))) mark = `\uE000${mark}\uE001`;
  return mark;
}
