/** @file Attacks that are a matter of words: the request as it is, begun answers, examples before it, other wordings. */
import type { Message } from '../../datasets/index.js';
import type { Asking, Attempt, Method } from './method.js';
import type { Question } from './questions.js';

/** The request, and the first `tokens` of the compliant answer already in the model's mouth. */
export function prefilled(name: string, tokens: number): Method {
  return {
    name,
    attempt: (asking, group) =>
      answered(
        asking,
        group.map(({ promptTokens, answerTokens }) => {
          // A prefill never gives the whole answer away: something must be left to generate.
          const given = Math.min(tokens, answerTokens.length - 1);
          return { prompt: [...promptTokens, ...answerTokens.slice(0, given)], given };
        }),
      ),
  };
}

/** The request in a text of its own: a framing, or a trigger. */
export function reworded(name: string, wording: string): Method {
  return {
    name,
    attempt: (asking, group) =>
      answered(
        asking,
        group.map(({ prompt }) => ({
          prompt: asking.questions.promptTokens([
            { role: 'user', content: wording.replaceAll('{prompt}', () => prompt) },
          ]),
          given: 0,
        })),
      ),
  };
}

/**
 * The request after `shots` others that were complied with (Anil et al. 2024): the ones that follow it in the table, as
 * many of them as the model's context holds.
 */
export function manyShot(name: string, shots: number): Method {
  return {
    name,
    attempt: (asking, group, first) =>
      answered(
        asking,
        group.map((question, at) => ({ prompt: withShots(asking, question, first + at, shots), given: 0 })),
      ),
  };
}

function withShots(
  { questions, config }: Asking,
  question: Question,
  index: number,
  shots: number,
): readonly number[] {
  const { harmful } = questions;
  const most = questions.context - config.maxNewTokens;
  for (let count = Math.min(shots, harmful.length - 1); count > 0; count = Math.floor(count / 2)) {
    const before = Array.from({ length: count }, (_, at) => harmful[(index + 1 + at) % harmful.length]);
    const turns = before.flatMap((each): Message[] =>
      each
        ? [
            { role: 'user', content: each.prompt },
            { role: 'assistant', content: each.answer },
          ]
        : [],
    );
    const tokens = questions.promptTokens([...turns, { role: 'user', content: question.prompt }]);
    if (tokens.length <= most) return tokens;
  }
  return question.promptTokens;
}

/** The answers to prompts, `given` tokens of which are the compliant answer's. */
export async function answered(
  { subject, config }: Asking,
  asked: readonly { readonly prompt: readonly number[]; readonly given: number }[],
): Promise<readonly Attempt[]> {
  const answers = await subject.answer(
    asked.map(({ prompt }) => prompt),
    config.maxNewTokens,
  );
  return asked.map((each, at) => ({ ...each, answer: answers[at] ?? [] }));
}
