/** @file What adaptive attacks make likely: the words of the compliant answer. */
import type { Tokenizer } from '../../../datasets/index.js';
import type { Question } from '../questions.js';

/** The answer's tokens without what ends the turn: whoever aims at an opening does not want it to end there. */
export function targetOf(tokenizer: Tokenizer, { answerTokens }: Question): readonly number[] {
  const words = tokenizer.decode(answerTokens).trimEnd();
  let length = answerTokens.length;
  while (length > 1 && tokenizer.decode(answerTokens.slice(0, length - 1)).trimEnd() === words) length--;
  return answerTokens.slice(0, length);
}
