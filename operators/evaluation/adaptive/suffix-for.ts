/** @file The place of a suffix in a question of an evaluation. */
import { suffixOf, type Suffix } from '../../suffix/suffix.js';
import type { Asking } from '../method.js';
import type { Question } from '../questions.js';

/** Null where the model's context has no room for so many tokens. @throws SUFFIX_LOST */
export function suffixFor(
  { subject: { tokenizer }, questions, config }: Asking,
  { prompt, promptTokens, answerTokens }: Question,
  size: number,
): Suffix | null {
  const longest = Math.max(config.maxNewTokens, answerTokens.length);
  if (promptTokens.length + size + longest > questions.context) return null;
  return suffixOf({ tokenizer, promptTokens: questions.promptTokens }, prompt, size);
}
