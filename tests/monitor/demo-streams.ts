/** @file The streams of an imagined run, for tests of pages: ten seconds of the arm `lat`, in the middle of a step. */
import { describeRecipe, RECIPES, type RecipeDescription } from '../../recipes/index.js';
import { MetricJournal, type Metric } from '../../streams/index.js';

/** What its page is told of it. */
export const demoDescription = (): RecipeDescription => describeRecipe(RECIPES['tiny']!());

/** A report each second: 3 steps, 9 iterations and 6 updates in it, half of it in the attack. @param first sequence number */
export function streamMetrics(run = 'tiny/lat', seconds = 12, first = 0): Metric[] {
  const list: Metric[] = [];
  let time = Date.UTC(2025, 0, 1, 12);
  const journal = new MetricJournal((metric) => list.push(metric), { now: () => time, first });
  const record = journal.recorder(run);
  for (let second = 0; second <= seconds; second++) {
    const steps = 3 * second;
    record(steps, 'attack', { loss: 2, epsilon: 2, 'norm/embedding': 1.5, 'norm/layers.0.residual': 1 });
    record(steps, 'defend', { loss: 0.75 });
    record(steps, 'stream', {
      ...{ 'items/pairs': 12 * second, 'items/benign': 12 * second, 'items/tokenize': 24 * second },
      ...{ 'items/batch': steps, 'ready/batch': 1, 'seconds/batch': 0.01 * second, 'busy/batch': 0 },
      ...{ 'items/model': 20_000 * second, 'items/attack': steps, 'iterations/attack': 9 * second },
      ...{ 'seconds/attack': 0.5 * second, 'busy/attack': 1, 'items/defend': steps },
      ...{ 'updates/defend': 6 * second, 'seconds/defend': 0.25 * second, 'busy/defend': 0 },
      ...{ 'items/checkpoint': second, 'seconds/checkpoint': 0.05 * second, 'busy/checkpoint': 0 },
      'items/metrics': 15 * second,
    });
    time += 1000;
  }
  return list;
}
