import { describe, expect, it } from 'vitest';
import { Tail } from '../../daemon/tail.js';

describe('Tail', () => {
  it('passes everything on, and remembers what concerns a run with its reason', () => {
    const heard: unknown[] = [];
    const tail = new Tail(
      (...each) => heard.push(each),
      () => 0,
    );
    tail.hear('info', 'daemon started', { url: 'x' });
    tail.hear('warn', 'run failed', { run: 'a', reason: 'no memory' });
    expect(heard).toHaveLength(2);
    expect(tail.of('a')).toEqual([
      { time: '1970-01-01T00:00:00.000Z', level: 'warn', message: 'run failed: no memory' },
    ]);
    expect(tail.of('b')).toEqual([]);
  });

  it('keeps little: the newest lines of the runs that were heard of last, none of them long', () => {
    const tail = new Tail(() => undefined);
    for (let line = 0; line < 300; line++) tail.hear('info', `${line} ${'x'.repeat(5000)}`, { run: 'a' });
    expect(tail.of('a')).toHaveLength(200);
    expect(tail.of('a').at(-1)?.message).toMatch(/^299 x+$/);
    expect(tail.of('a').at(-1)?.message).toHaveLength(1000);
    tail.hear('info', 'kept', { run: 'b' });
    for (let run = 0; run < 499; run++) {
      if (run === 300) tail.hear('info', 'kept', { run: 'b' });
      tail.hear('info', 'said', { run: `r${run}` });
    }
    expect([tail.of('a').length, tail.of('b').length, tail.of('r0').length]).toEqual([0, 2, 1]);
  });
});
