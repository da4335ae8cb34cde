/** @file The process of an attempt: hears which executor, tries it, says what it begins and how it went. */
import { createExecutor } from '../executors/create.js';
import type { Attempt, AttemptRequest, Word } from './attempt.js';
import { possiblePrecisions } from './precisions.js';
import { smallStep } from './small-step.js';

process.once('message', (request: AttemptRequest) => {
  void tried(request).then((attempt) => process.send?.(attempt, () => process.disconnect()));
});

async function tried({ executor, ...options }: AttemptRequest): Promise<Attempt> {
  try {
    const step = await smallStep(await createExecutor(executor, options), { onBegin: begin });
    begin('16 bits');
    return { end: 'ran', ...step, precisions: await possiblePrecisions(executor, options) };
  } catch (error) {
    return { end: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

function begin(doing: string): void {
  process.send?.({ doing } satisfies Word);
}
