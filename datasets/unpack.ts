/** @file The examples in a packed batch: `pack` undone. Knows nothing about text or files. */
import { SEGMENT, type PackedBatch } from './batch.js';
import type { Example } from './example.js';

/** Prompt and completions of each row; of the prompt's own labels (earlier turns, labelled tokens) nothing is found. */
export function unpack({ rows, length, tokens, segments }: PackedBatch): Example[] {
  return Array.from({ length: rows }, (_, row) => {
    const columns = Array.from({ length }, (_, column) => row * length + column);
    const ofSegment = (segment: number): number[] =>
      columns.filter((at) => segments[at] === segment).map((at) => tokens[at] as number);
    const adversarial = ofSegment(SEGMENT.adversarial);
    return {
      prompt: ofSegment(SEGMENT.prompt),
      ...(adversarial.length > 0 && { adversarial }),
      desired: ofSegment(SEGMENT.desired),
    };
  });
}
