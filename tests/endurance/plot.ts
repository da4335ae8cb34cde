/** @file A soak as a drawing: what it held over its steps. */
import { sheet } from '../../report/index.js';
import type { Sample } from './sample.js';

const MEGABYTE = 2 ** 20;

/** Memory and descriptors of both processes. */
export function soakPlot(samples: readonly Sample[]): string {
  const panel = (
    title: string,
    of: (sample: Sample) => number,
  ): Parameters<typeof sheet>[0]['panels'][number] => ({
    kind: 'chart',
    title,
    x: 'step',
    series: [
      {
        name: title,
        colour: 2,
        points: samples.map((sample) => ({ x: sample.step, y: of(sample) })),
        as: 'curve',
      },
    ],
  });
  return sheet({
    caption: 'Memory and descriptors over the steps of a soak',
    legend: [],
    panels: [
      panel('serving process, MB', ({ serving }) => serving.residentBytes / MEGABYTE),
      panel('training process, MB', ({ training }) => training.residentBytes / MEGABYTE),
      panel('serving process, descriptors', ({ serving }) => serving.descriptors),
      panel('training process, descriptors', ({ training }) => training.descriptors),
    ],
  });
}
