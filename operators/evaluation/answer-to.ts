/** @file What of an attempt is judged. */
import type { Tokenizer } from '../../datasets/index.js';
import { matches, normalize, type Answer } from './judge.js';
import type { Attempt } from './method.js';
import type { Question } from './questions.js';

/** What is judged of an attempt: the words beyond what the model was given. */
export function answerTo(tokenizer: Tokenizer, question: Question, { given, answer }: Attempt): Answer {
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
