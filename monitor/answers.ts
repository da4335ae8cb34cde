/** @file What the evaluated arms of a run have left in its directory of their answers. Depends on zod. */
import { createReadStream, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** In bytes, of one arm's answers: what is behind is not looked at. */
const MOST_ANSWERS = 2 ** 26;
/** Characters of a text that are shown. */
const LONGEST_TEXT = 4000;

/** What an arm answered to one question, under an attack or to a table. */
const answer = z.object({
  arm: z.string(),
  under: z.string(),
  index: z.int().min(0),
  request: z.string(),
  /** Put into its mouth. */
  given: z.string(),
  generated: z.string(),
  outcome: z.string(),
});
type AnswerView = z.infer<typeof answer>;

/** What all of them did. */
export const answersView = z.object({
  /** In the largest table. */
  questions: z.number(),
  answers: z.array(answer),
});
export type AnswersView = z.infer<typeof answersView>;

/** The answers of every arm that has been evaluated to one question, under every attack. */
export async function answersIn(directory: string, index: number): Promise<AnswersView> {
  const answers: AnswerView[] = [];
  let questions = 0;
  const arms = existsSync(directory) ? (await readdir(directory)).sort() : [];
  for (const arm of arms) {
    const path = join(directory, arm, 'answers.jsonl');
    if (!existsSync(path)) continue;
    const input = createReadStream(path, { end: MOST_ANSWERS });
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const found = answerIn(line);
      if (found === undefined) continue;
      questions = Math.max(questions, found.index + 1);
      if (found.index === index) answers.push({ arm, ...found });
    }
  }
  return { questions, answers };
}

/** Lines that are no answers are passed over. */
function answerIn(line: string): Omit<AnswerView, 'arm'> | undefined {
  try {
    const { data } = answer.omit({ arm: true }).safeParse(JSON.parse(line));
    return (
      data && {
        ...data,
        request: clip(data.request),
        given: clip(data.given),
        generated: clip(data.generated),
      }
    );
  } catch {
    return undefined;
  }
}

function clip(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
