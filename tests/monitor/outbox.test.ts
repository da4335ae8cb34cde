import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bundle } from '../../monitor/bundle.js';
import { Outbox } from '../../monitor/outbox.js';
import { metricAt } from './helpers.js';

describe('Outbox', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Publishes ten metrics a second for ten seconds. @returns the sequence numbers of each delivery */
  const deliveriesTo = (viewers: number): number[][] => {
    const delivered: number[][] = [];
    const sequences = (bundle: Bundle): number[] => [...bundle.updates(-1)].map(({ sequence }) => sequence);
    const outbox = new Outbox(
      (bundle) => delivered.push(sequences(bundle)),
      () => viewers,
    );
    for (let sequence = 0; sequence < 100; sequence++) {
      outbox.add(metricAt(sequence));
      vi.advanceTimersByTime(100);
    }
    outbox.flush();
    return delivered;
  };

  it.each([1, 10, 100, 1000, 4000])('makes no more than 1000 writes a second to %d viewers', (viewers) => {
    const delivered = deliveriesTo(viewers);
    expect(delivered.flat()).toEqual(Array.from({ length: 100 }, (_, sequence) => sequence));
    // The first and the last need not wait.
    expect((delivered.length - 2) * viewers).toBeLessThanOrEqual(10 * 1000);
    expect(delivered.length).toBeGreaterThanOrEqual(Math.min(100, 10_000 / viewers - 1));
  });

  it('lets no more than 64 KiB wait', () => {
    const sizes: number[] = [];
    const outbox = new Outbox(
      (bundle) => sizes.push(bundle.after(-1)?.bytes.length ?? 0),
      () => 1e6,
    );
    outbox.add(metricAt(0));
    vi.advanceTimersByTime(1);
    for (let sequence = 1; sequence < 1000; sequence++)
      outbox.add(metricAt(sequence, { kind: 'x'.repeat(1000) }));
    expect(sizes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(66 << 10);
  });
});
