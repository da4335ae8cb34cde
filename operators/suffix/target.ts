/** @file What searches for suffixes make likely: the words of the compliant answer. */
import type { Tokenizer } from '../../datasets/index.js';

/** The answer's tokens without what ends the turn: whoever aims at an opening does not want it to end there. */
export function targetOf(tokenizer: Tokenizer, answer: readonly number[]): readonly number[] {
  const words = tokenizer.decode(answer).trimEnd();
  let length = answer.length;
  while (length > 1 && tokenizer.decode(answer.slice(0, length - 1)).trimEnd() === words) length--;
  return answer.slice(0, length);
}
