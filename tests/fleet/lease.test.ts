/** @file A lease is lost when it must be, and not before. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lease, type Moment } from '../../fleet/lease.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class Held {
  lost: string[] = [];
  renewals = 0;
  answer: () => Promise<boolean> = () => Promise.resolve(true);
  moment: Moment = { wall: 0, steady: 0 };
  readonly lease = new Lease({
    lockMilliseconds: 1000,
    renew: () => {
      this.renewals += 1;
      return this.answer();
    },
    lost: (why) => this.lost.push(why),
    now: () => this.moment,
  });

  async pass(millis: number, wall = millis): Promise<void> {
    for (let passed = 0; passed < millis; passed += 250) {
      const { steady, wall: was } = this.moment;
      this.moment = { steady: steady + 250, wall: was + (250 * wall) / millis };
      await vi.advanceTimersByTimeAsync(250);
    }
  }
}

describe('a lease', () => {
  it('lasts as long as it is renewed', async () => {
    const held = new Held();
    await held.pass(60_000);
    expect(held.lost).toEqual([]);
    expect(held.renewals).toBeGreaterThan(200);
    held.lease.end();
    const { renewals } = held;
    await held.pass(5000);
    expect(held.renewals).toBe(renewals);
  });

  it('survives an outage that is shorter than it', async () => {
    const held = new Held();
    held.answer = () => Promise.reject(new Error('away'));
    await held.pass(500);
    held.answer = () => Promise.resolve(true);
    await held.pass(5000);
    expect(held.lost).toEqual([]);
    held.lease.end();
  });

  it.each<[string, () => Promise<boolean>]>([
    ['Redis does not answer', () => new Promise(() => undefined)],
    ['Redis refuses', () => Promise.reject(new Error('away'))],
  ])('is lost, once, where %s for as long as it lasts', async (_, answer) => {
    const held = new Held();
    held.answer = answer;
    await held.pass(750);
    expect(held.lost).toEqual([]);
    await held.pass(5000);
    expect(held.lost).toEqual(['its lock could not be renewed in time']);
  });

  it('is lost at once where it is somebody else’s', async () => {
    const held = new Held();
    held.answer = () => Promise.resolve(false);
    await held.pass(250);
    expect(held.lost).toEqual(['another worker may have it']);
  });

  it('is lost where the machine slept, which only one of the clocks tells', async () => {
    const held = new Held();
    await held.pass(250);
    held.moment = { ...held.moment, wall: held.moment.wall + 10_000 };
    await held.pass(250);
    expect(held.lost).toHaveLength(1);
  });
});
