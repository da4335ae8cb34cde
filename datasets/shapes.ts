/** @file Rows that do not hold what an example needs column by column: the values of a row put into prompt and completion. */
import { complain } from '../foundation/index.js';
import { textOf } from './columns.js';

/** Mapped values of a row, by role. */
export type RowValues = Readonly<Record<string, unknown>>;

/** How a row's values are read: as the columns hold them, or in one of these ways. */
export const SHAPES = ['transcripts', 'instruction'] as const;
export type Shape = (typeof SHAPES)[number];

/**
 * The values of a row as prompt and completions; undefined where it makes no example, which counts as filtered.
 * - `transcripts`: `desired` and `adversarial` are whole dialogues (`\n\nHuman: … \n\nAssistant: …`) that differ in
 *   the last answer; rows whose dialogues differ before it, or end without an answer, make no example.
 * - `instruction`: `instruction` and, below it, `input` (may be empty) are the prompt.
 * @throws DATASET_VALUE_TYPE, DATASET_TRANSCRIPT
 */
export function shaped(values: RowValues, shape: Shape | undefined, owner: string): RowValues | undefined {
  if (shape === 'transcripts') return fromTranscripts(values, owner);
  if (shape !== 'instruction') return values;
  const { instruction, input = '', ...rest } = values;
  const [asked, more] = [textOf(instruction, `${owner}, instruction`), textOf(input, `${owner}, input`)];
  return { ...rest, prompt: more === '' ? asked : `${asked}\n\n${more}` };
}

/** A turn of a dialogue. */
export interface TranscriptTurn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/**
 * The turns of a dialogue in the form of Anthropic's hh-rlhf. @throws DATASET_TRANSCRIPT where it does not begin with one.
 */
export function parseTranscript(text: string, owner: string): TranscriptTurn[] {
  const [before = '', ...parts] = text.split(/(?:^|\n\n)(Human|Assistant):/);
  if (before.trim() !== '' || parts.length === 0)
    complain({
      code: 'DATASET_TRANSCRIPT',
      owner,
      expected: 'a dialogue that begins with "\\n\\nHuman:"',
      got: JSON.stringify(text.slice(0, 40)),
      hint: 'map columns of whole dialogues, or read them without this shape',
    });
  return Array.from({ length: parts.length / 2 }, (_, turn) => ({
    role: parts[2 * turn] === 'Human' ? 'user' : 'assistant',
    content: (parts[2 * turn + 1] ?? '').trim(),
  }));
}

function fromTranscripts(values: RowValues, owner: string): RowValues | undefined {
  const { desired, adversarial, ...rest } = values;
  const dialogues = [desired, adversarial].map((value) => parseTranscript(textOf(value, owner), owner));
  const [good = [], bad = []] = dialogues;
  const prompt = good.slice(0, -1);
  const alike = JSON.stringify(prompt) === JSON.stringify(bad.slice(0, -1)) && prompt.length > 0;
  const answers = [good.at(-1), bad.at(-1)];
  if (!alike || answers.some((turn) => turn?.role !== 'assistant' || turn.content === '')) return undefined;
  return { ...rest, prompt, desired: answers[0]?.content, adversarial: answers[1]?.content };
}
