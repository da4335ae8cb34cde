/** @file The metric `bounded/SITE`: what ε is compared with where that is not the norm itself, from the trace to the page. */
import { describe, expect, it } from 'vitest';
import { NO_PASSES, type AttackTrace, type Perturbation } from '../../operators/index.js';
import { attackValues } from '../../operators/report.js';
import { MetricJournal, type Metric } from '../../streams/index.js';
import { browserMissing, points, visitor } from '../helpers/browser.js';
import { afterwards, start } from './helpers.js';

const perturbation = (norm: number, bounded?: number): Perturbation => {
  const entry: AttackTrace = {
    ...{ iteration: 0, loss: 1, losses: {} },
    norms: { embedding: norm, 'layers.1.residual': 2 * norm },
    meanNorms: { embedding: norm, 'layers.1.residual': norm },
    ...(bounded !== undefined && { bounded: { embedding: bounded, 'layers.1.residual': bounded / 2 } }),
  };
  const none = {
    deltas: {},
    slots: { dtype: 'int32', shape: [1, 1] } as const,
    passes: NO_PASSES,
    warnings: [],
  };
  return { ...none, trace: [{ ...entry, norms: { embedding: 99 } }, entry], release: () => undefined };
};

describe('what ε bounds', () => {
  it('is the largest over the parts of a batch, of the last iteration', () => {
    const values = attackValues([perturbation(8, 0.25), perturbation(6, 0.5)], 0.5);
    expect(values).toMatchObject({
      ...{ epsilon: 0.5, 'norm/embedding': 8, 'norm/layers.1.residual': 16 },
      ...{ 'bounded/embedding': 0.5, 'bounded/layers.1.residual': 0.25 },
    });
  });

  it('is not told where it is the norm itself', () => {
    const names = Object.keys(attackValues([perturbation(8)], 0.5));
    expect(names.filter((name) => name.startsWith('bounded/'))).toEqual([]);
    expect(names).toContain('norm/embedding');
  });
});

describe.skipIf(browserMissing)('what ε bounds, on the page', () => {
  const open = visitor();

  it('is drawn against ε, not the norm', async () => {
    const history: Metric[] = [];
    const record = new MetricJournal((metric) => history.push(metric)).recorder('tiny/lat');
    for (const step of [1, 2, 3]) record(step, 'attack', attackValues([perturbation(8, 0.25)], 0.5));
    const monitor = await start({ history });
    const [page] = await open(monitor.url);
    afterwards(page);
    await points(page, 'shares', 6);
    const words = await page.getAttribute('.panel[data-chart="shares"] .canvas', 'aria-label');
    expect(words).toBe('Norms by site: embedding 50.0 %, layers.1.residual 25.0 %');
    const norms = await page.getAttribute('.panel[data-chart="norms"] .canvas', 'aria-label');
    expect(norms).toMatch(/embedding 0\.25 at 3, layers\.1\.residual 0\.125 at 3, ε 0\.5/);
  });
});
