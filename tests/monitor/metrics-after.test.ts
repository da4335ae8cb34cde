import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metricsAfter, openRecord, untilStep, type MetricsPage } from '../../monitor/index.js';
import type { Metric } from '../../streams/index.js';
import { metricAt, metrics } from './helpers.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latstream-after-'));
  path = join(folder, 'metrics.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true }));

const lines = (list: readonly unknown[]): string => list.map((each) => `${JSON.stringify(each)}\n`).join('');

/** Asks until there is no more. */
async function all(after: string, points = 4000, piece?: number): Promise<[Metric[], MetricsPage]> {
  const found: Metric[] = [];
  for (;;) {
    const page = await metricsAfter(path, after, points, piece);
    if (page.fresh) found.length = 0;
    found.push(...page.metrics);
    after = page.next;
    if (!page.more) return [found, page];
  }
}

describe('metricsAfter', () => {
  it('gives every metric once, however the record grows and however small the pieces are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9), { maxLength: 5 }),
        fc.integer({ min: 150, max: 2000 }),
        fc.nat(60),
        async (growth, piece, torn) => {
          writeFileSync(path, '');
          const found: Metric[] = [];
          let after = '';
          let rest = '';
          let written = 0;
          for (const count of growth) {
            const text = lines(metrics(written + count).slice(written));
            const cut = Math.max(0, text.length - torn); // a writer in the middle of a line
            appendFileSync(path, rest + text.slice(0, cut));
            rest = text.slice(cut);
            written += count;
            const [more, page] = await all(after, 4000, piece);
            found.push(...more);
            after = page.next;
          }
          appendFileSync(path, rest);
          const [more] = await all(after, 4000, piece);
          expect([...found, ...more]).toEqual(metrics(written));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('begins again when a resume has written the record anew', async () => {
    writeFileSync(path, lines(metrics(8)));
    const [, before] = await all('');
    expect(before).toMatchObject({ fresh: true, more: false });
    const record = await openRecord(path, untilStep('tiny/lat', 3));
    record.append(metricAt(4, { values: { loss: 9 } }));
    await record.close();
    const page = await metricsAfter(path, before.next, 4000);
    expect(page.fresh).toBe(true);
    expect(page.metrics).toEqual([...metrics(4), metricAt(4, { values: { loss: 9 } })]);
    expect(await metricsAfter(path, page.next, 4000)).toMatchObject({
      fresh: false,
      metrics: [],
      more: false,
    });
  });

  it('thins each series out evenly, its ends kept', async () => {
    writeFileSync(path, lines(metrics(1000)));
    const { metrics: kept } = await metricsAfter(path, '', 10);
    expect(kept.length).toBeLessThanOrEqual(11);
    expect(kept.at(0)).toEqual(metricAt(0));
    expect(kept.at(-1)).toEqual(metricAt(999));
  });

  it('passes over what is no metric, lines longer than a piece among it', async () => {
    const garbage = `{"run":\n${'x'.repeat(5000)}\n[]\n`;
    writeFileSync(path, lines(metrics(2)) + garbage + lines([metricAt(2)]));
    const [found] = await all('', 4000, 300);
    expect(found).toEqual(metrics(3));
  });

  it.each(['', 'nonsense', '1-2-3', '9'.repeat(90)])(
    'takes the place %j for the beginning',
    async (after) => {
      writeFileSync(path, lines(metrics(3)));
      expect(await metricsAfter(path, after, 100)).toMatchObject({ fresh: true, metrics: metrics(3) });
    },
  );

  it('is empty before there is a record', async () => {
    expect(await metricsAfter(path, '', 100)).toEqual({ metrics: [], fresh: true, next: '', more: false });
  });
});
