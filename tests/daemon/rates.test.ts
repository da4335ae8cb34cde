/** @file How often an address may ask, and how soon it hears that its token is wrong. Time is the test's. */
import { describe, expect, it } from 'vitest';
import { Rates } from '../../daemon/rates.js';

const REFUSED = expect.objectContaining({ code: 'DAEMON_RATE' }) as Error;

describe('rates', () => {
  it('let an address ask five seconds’ worth at once, then as many a second as they say', () => {
    let now = 0;
    const rates = new Rates(2, () => now);
    for (let request = 0; request < 10; request++) rates.request('10.0.0.1');
    expect(() => rates.request('10.0.0.1')).toThrow(REFUSED);
    rates.request('10.0.0.2');
    now = 500;
    rates.request('10.0.0.1');
    expect(() => rates.request('10.0.0.1')).toThrow(REFUSED);
    rates.limit(1);
    for (let request = 0; request < 5; request++) rates.request('10.0.0.1');
    expect(() => rates.request('10.0.0.1')).toThrow(REFUSED);
  });

  it('take addresses for one that one machine or network has', () => {
    const one = (first: string, second: string): boolean => {
      const rates = new Rates(1, () => 0);
      for (let request = 0; request < 5; request++) rates.request(first);
      try {
        rates.request(second);
        return false;
      } catch {
        return true;
      }
    };
    expect(one('10.0.0.1', '::ffff:10.0.0.1')).toBe(true);
    expect(one('2001:db8::1', '2001:db8:0:0:1:2:3:4')).toBe(true);
    expect(one('2001:db8::1', '2001:db8:0:1::1')).toBe(false);
    expect(one('::1', '127.0.0.1')).toBe(false);
  });

  it('tell ten wrong tokens so at once, later ones a second after the other, and refuse who would wait long', async () => {
    const waits: number[] = [];
    const rates = new Rates(
      1000,
      () => 0,
      (millis) => Promise.resolve(waits.push(millis)),
    );
    for (let attempt = 0; attempt < 20; attempt++) await rates.wrong('10.0.0.1');
    expect(waits).toEqual([
      ...Array<number>(10).fill(0),
      ...Array.from({ length: 10 }, (_, at) => 1000 * (at + 1)),
    ]);
    await expect(rates.wrong('10.0.0.1')).rejects.toMatchObject({ code: 'DAEMON_RATE' });
    await rates.wrong('10.0.0.2');
    expect(waits.at(-1)).toBe(0);
  });

  it('remember so many addresses, and forget the one that was not seen for longest', () => {
    const rates = new Rates(1, () => 0);
    const ask = (address: number, times: number): void => {
      for (let time = 0; time < times; time++) rates.request(String(address));
    };
    ask(1, 5);
    ask(2, 5);
    for (let address = 3; address <= 10_001; address++) ask(address, 1);
    ask(1, 5);
    expect(() => ask(3, 5)).toThrow(REFUSED);
  });
});
