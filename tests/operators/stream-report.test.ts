/** @file When a run reports its streams, and what: on a clock that only moves when told. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_PASSES } from '../../operators/index.js';
import { StreamReport, type Batches } from '../../operators/stream-report.js';
import type { Metric } from '../../streams/index.js';

async function* none(): AsyncGenerator<never> {
  await Promise.resolve();
}
const batches: Batches = Object.assign(none(), {
  figures: () => ({ rows: { 'pairs-0': 7, benign: 5 }, examples: 12, batches: 3, ready: 2 }),
});

describe('the report of streams', () => {
  let told: Metric[] = [];
  const record = (step: number, kind: string, values: Readonly<Record<string, number>>): Metric => {
    const metric = { run: 'r', sequence: told.length, time: 0, step, kind, values };
    told.push(metric);
    return metric;
  };
  const open = (given: Batches = batches): StreamReport => new StreamReport(record, given);
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    told = [];
  });

  it('comes once a second at most, however many steps end, and not at all while nothing happens', () => {
    const flow = open();
    for (let tenth = 0; tenth < 50; tenth++) {
      flow.stepped();
      vi.advanceTimersByTime(100);
    }
    expect(told).toHaveLength(5);
    vi.advanceTimersByTime(3_600_000);
    expect(told).toHaveLength(5);
    flow.close();
    flow.stepped();
    vi.advanceTimersByTime(10_000);
    expect(told).toHaveLength(5);
  });

  it('tells what was not told yet when the run ends', () => {
    const flow = open();
    flow.stepped();
    flow.close();
    expect(told).toHaveLength(1);
  });

  it('comes every ten seconds within a step that takes long, and says who works', async () => {
    const flow = open();
    let finish: () => void = () => undefined;
    const working = flow.during('evaluate', 4, () => new Promise<void>((resolve) => (finish = resolve)));
    vi.advanceTimersByTime(30_000);
    expect(told.map(({ step }) => step)).toEqual([4, 4, 4]);
    expect(told[2]?.values).toMatchObject({
      'busy/evaluate': 1,
      'items/evaluate': 0,
      'seconds/evaluate': 30,
    });
    finish();
    await working;
    flow.close();
  });

  it('counts what went through each part that the run has', async () => {
    const flow = open();
    await flow.during('attack', 1, () => vi.advanceTimersByTime(250));
    const spent = { ...NO_PASSES, forwardTokens: 300, backwardTokens: 200 };
    flow.trained([{ trace: [1, 2, 3] }, { trace: [1, 2, 3] }], [1, 2], spent);
    flow.record(1, 'defend', {});
    flow.stepped();
    flow.close();
    expect(told[1]?.values).toEqual({
      ...{ 'items/pairs-0': 7, 'items/benign': 5, 'items/tokenize': 12 },
      ...{ 'items/batch': 3, 'ready/batch': 2, 'seconds/batch': 0, 'busy/batch': 0 },
      ...{ 'items/attack': 1, 'iterations/attack': 6, 'seconds/attack': 0.25, 'busy/attack': 0 },
      ...{ 'updates/defend': 2, 'items/model': 500, 'items/metrics': 1 },
    });
  });
});
