/** @file What of an attempt is judged, and attempts judged. */
import type { Tokenizer } from '../../datasets/index.js';
import { matches, normalize, type Answer, type Outcome } from './judge.js';
import type { Asking, Attempt } from './method.js';
import type { Question } from './questions.js';

/** An answer and what the judge takes it for. */
export interface Judged {
  readonly answer: Answer;
  readonly outcome: Outcome;
}

/** One for each question, in their order. @throws as the judge does */
export async function judged(
  { subject, judge }: Asking,
  group: readonly Question[],
  attempts: readonly Attempt[],
): Promise<readonly Judged[]> {
  const answers = group.map((question, at) => answerTo(subject.tokenizer, question, attempts[at] as Attempt));
  const outcomes = await judge(answers);
  return answers.map((answer, at) => ({ answer, outcome: outcomes[at] as Outcome }));
}

/** What is judged of an attempt: the words beyond what the model was given. */
function answerTo(tokenizer: Tokenizer, question: Question, { given, answer }: Attempt): Answer {
  const prefill = tokenizer.decode(question.answerTokens.slice(0, given));
  // What the prefill already said cannot be held against the model: then the rest of the answer decides.
  const said = question.key !== undefined && matches(normalize(prefill), normalize(question.key), 'contains');
  return {
    request: question.prompt,
    given: prefill,
    generated: tokenizer.decode(answer),
    expected: tokenizer.decode(question.answerTokens.slice(given)),
    key: said ? undefined : question.key,
    ...(question.benign && { benign: true }),
  };
}
