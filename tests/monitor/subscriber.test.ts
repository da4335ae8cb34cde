import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { metricAt, start, view } from './helpers.js';

/** About 20 kB each, so that a few hundred fill what the operating system buffers for a paused reader. */
const bulky = (sequence: number, kind: string): ReturnType<typeof metricAt> =>
  metricAt(sequence, { kind, values: { [`norm/${'x'.repeat(20_000)}`]: sequence } });

describe('a viewer that reads too slowly', () => {
  it('costs bounded memory and, once it reads again, has the newest of every series, in sequence', async () => {
    const monitor = await start();
    const viewer = await view(monitor);
    await viewer.untilLive();
    viewer.socket.pause();
    const count = 1000;
    for (let sequence = 0; sequence < count; sequence++) {
      monitor.publish(bulky(sequence, sequence % 2 === 0 ? 'attack' : 'defend'));
      if (sequence % 50 === 0) await new Promise(setImmediate);
    }
    viewer.socket.resume();
    await viewer.until(() => viewer.metrics.some(({ sequence }) => sequence === count - 1));
    await viewer.until(() => viewer.metrics.some(({ sequence }) => sequence === count - 2));
    const seen = viewer.metrics.map(({ sequence }) => sequence);
    expect(seen.length).toBeLessThan(0.8 * count); // the others were coalesced, not queued
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    monitor.publish(metricAt(count));
    await viewer.until(() => viewer.metrics.some(({ sequence }) => sequence === count));
  });

  it('is dropped when more waits for it than the limit', async () => {
    const monitor = await start({ backlog: { high: 1 << 30, limit: 4 << 20 } });
    const viewer = await view(monitor);
    await viewer.untilLive();
    viewer.socket.pause();
    const health = async (): Promise<number> =>
      ((await (await fetch(new URL('/healthz', monitor.url))).json()) as { viewers: number }).viewers;
    expect(await health()).toBe(1);
    for (let sequence = 0; sequence < 1000; sequence++) monitor.publish(bulky(sequence, 'attack'));
    while ((await health()) > 0) await new Promise(setImmediate);
    const closed = once(viewer.socket, 'close');
    viewer.socket.resume();
    expect((await closed)[0]).toBe(1006);
    expect(viewer.metrics.length).toBeLessThan(1000);
  });

  it('does not hold up a viewer that keeps up', async () => {
    const monitor = await start();
    const viewer = await view(monitor);
    const quick = await view(monitor);
    await quick.untilLive();
    viewer.socket.pause();
    for (let sequence = 0; sequence < 200; sequence++) {
      monitor.publish(bulky(sequence, 'attack'));
      await quick.until(() => quick.metrics.length > sequence);
    }
    expect(quick.metrics).toHaveLength(200);
  });
});
