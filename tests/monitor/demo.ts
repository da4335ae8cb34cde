/** @file Metrics of an imagined run with three arms, for tests of the page. Not results: shapes only. */
import { draws } from '../../foundation/index.js';
import { MetricJournal, type Metric } from '../../streams/index.js';

const SITES = ['embedding', 'layers.1.residual', 'layers.3.residual', 'layers.5.residual'];
const STEPS = 160;

/** What an arm's evaluation tends to at the end: attack success under three attacks, and benign accuracy. */
const ENDS = { refusal: [0.02, 0.46, 0.9, 0.975], lat: [0.01, 0.08, 0.22, 0.968] } as const;

export function demoMetrics(steps = STEPS): Metric[] {
  const list: Metric[] = [];
  let time = Date.UTC(2025, 0, 1, 12);
  const journal = new MetricJournal((metric) => list.push(metric), { now: () => (time += 90) });
  const start = [0.31, 0.88, 0.97, 0.981];
  journal.recorder('jailbreak/base')(0, 'evaluate', evaluation(start));
  for (const [arm, end] of Object.entries(ENDS)) {
    const record = journal.recorder(`jailbreak/${arm}`);
    const noise = draws(1, 'demo', arm);
    for (let step = 0; step <= steps; step++) {
      const [fall, wobble] = [Math.exp((-4 * step) / steps), 1 + 0.12 * noise.normal()];
      if (arm === 'lat') {
        const norms = SITES.map((site, at) => [
          `norm/${site}`,
          2.5 * (1 - Math.exp(-(step + 8) / (10 * (at + 1)))),
        ]);
        const [toward, away] = [(3.4 - 2 * fall) * wobble, 0.3 + 0.5 * fall];
        const norm = Object.fromEntries(norms) as Record<string, number>;
        record(step, 'attack', { loss: toward + away, toward, away, epsilon: 2.5, ...norm });
      }
      const toward = (0.15 + 2.6 * fall) * wobble;
      const [away, sft, kl] = [0.1 + 0.4 * fall, (0.9 + 0.3 * fall) * wobble, 0.02 * (1 - fall)];
      const loss = toward + away + sft + kl;
      const gradientNorm = (0.4 + 1.8 * fall) * wobble;
      const learningRate = 2e-3 * Math.min(1, (step + 1) / 16) * (1 - step / (steps + 1));
      record(step, 'defend', { loss, toward, away, sft, kl, gradientNorm, learningRate });
      record(step, 'throughput', {
        tokensPerSecond: 5200 * (arm === 'lat' ? 1 : 2.6) * wobble,
        secondsPerStep: (arm === 'lat' ? 0.62 : 0.24) / wobble,
        residentMegabytes: 612 + 3 * noise.normal(),
      });
      record(step, 'progress', { step, steps, secondsLeft: (steps - step) * (arm === 'lat' ? 0.62 : 0.24) });
      if (step % 20 === 0) {
        const mixed = end.map((value, at) => value + (start[at]! - value) * Math.exp((-6 * step) / steps));
        record(step, 'evaluate', evaluation(mixed));
      }
      if (step % 80 === 0 && step > 0) record(step, 'checkpoint', { megabytes: 1.9 });
    }
  }
  return list;
}

function evaluation(values: readonly number[]): Record<string, number> {
  const names = ['directComply', 'prefillComply', 'latentComply', 'benignAccuracy'];
  return Object.fromEntries(
    names.flatMap((name, at) => {
      const value = values[at]!;
      const half = 1.96 * Math.sqrt((value * (1 - value)) / 240) + 0.004;
      return [
        [name, value],
        [`${name}Low`, Math.max(0, value - half)],
        [`${name}High`, Math.min(1, value + half)],
      ];
    }),
  );
}
