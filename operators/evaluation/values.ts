/** @file Figures of an evaluation as values of a metric. Numbers in, numbers out. */
import type { Interval } from '../../foundation/index.js';
import type { Evaluation } from './evaluate.js';

/** By name: `directComply`, `directComplyLow`, … `benignAccuracy`, `benignCrossEntropy`, … `strongestComply`, … */
export function evaluationValues({
  attacks,
  strongest = [],
  benign,
  probes = {},
  recall = {},
  quality,
}: Evaluation): Record<string, number> {
  const values: Record<string, number> = {};
  const put = (name: string, { estimate, low, high }: Interval): void => {
    values[name] = estimate;
    values[`${name}Low`] = low;
    values[`${name}High`] = high;
  };
  for (const [attack, { comply, counts, n }] of Object.entries(attacks)) {
    put(`${attack}Comply`, comply);
    values[`${attack}Refuse`] = counts.refuse / n;
    values[`${attack}Incoherent`] = counts.incoherent / n;
  }
  if (strongest[0]) put('strongestComply', strongest[0].comply);
  for (const [name, { accuracy, likelihood }] of [
    ...(benign ? [['benign', benign] as const] : []),
    ...Object.entries(probes),
  ]) {
    put(`${name}Accuracy`, accuracy);
    if (likelihood) put(`${name}CrossEntropy`, likelihood.crossEntropy);
    if (likelihood) put(`${name}Perplexity`, likelihood.perplexity);
  }
  for (const [name, { accuracy }] of Object.entries(recall)) put(`${name}Recall`, accuracy);
  if (quality) put('quality', quality.score);
  return values;
}
