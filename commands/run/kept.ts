/** @file An evaluation that a run kept, read back: checked, for files can be damaged or changed. */
import { evaluationSchema } from '../../formats/index.js';
import type { Evaluation } from '../../operators/index.js';
import { corruptPart, parsedPart } from './directory.js';

/** @throws RUN_CORRUPT where the text is no evaluation */
export function keptEvaluation(text: string, path: string): Evaluation {
  const { data, error } = evaluationSchema.safeParse(parsedPart(text, path));
  if (data) return data;
  const issue = error.issues[0];
  return corruptPart(
    path,
    'an evaluation',
    `${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'unlike one'}`,
  );
}
