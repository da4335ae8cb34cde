/** @file The metric that finds checkpoints best: heard at its step, and missed aloud. */
import { expect, it } from 'vitest';
import { Scored } from '../../../commands/run/scored.js';
import { MetricJournal, type Metric } from '../../../streams/index.js';

it('scores a step by what was measured at it, passes everything on, and says once that a name is not measured', () => {
  const [published, notes]: [Metric[], string[]] = [[], []];
  const record = new MetricJournal((metric) => published.push(metric)).recorder('x');
  const scored = new Scored('evaluate.quality', record, (text) => notes.push(text));
  scored.record(1, 'evaluate', { quality: 0.5 });
  scored.record(1, 'attack', { quality: 9 });
  expect([scored.at(1), scored.at(2)]).toEqual([{ score: 0.5 }, {}]);
  scored.record(2, 'evaluate', { quality: NaN });
  expect([scored.at(2), notes]).toEqual([{}, []]);
  for (const step of [3, 4]) scored.record(step, 'evaluate', { directComply: 1 });
  expect(notes).toEqual(['checkpoint.best: evaluate measures no quality, but directComply']);
  expect(published.map(({ step }) => step)).toEqual([1, 1, 2, 3, 4]);

  const unscored = new Scored(undefined, record, (text) => notes.push(text));
  unscored.record(5, 'evaluate', { quality: 1 });
  expect([unscored.at(5), notes.length]).toEqual([{}, 1]);
});
