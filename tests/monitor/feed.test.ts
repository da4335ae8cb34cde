import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startMonitor } from '../../monitor/index.js';
import { metricAt, metrics, start, view } from './helpers.js';

describe('the metrics WebSocket', () => {
  it('greets with version and run, then sends the history in sequence, then says that it is live', async () => {
    const monitor = await start({ history: metrics(3) });
    monitor.publish(metricAt(3));
    const viewer = await view(monitor);
    await viewer.untilLive();
    const hello = viewer.messages[0];
    expect(hello).toMatchObject({
      type: 'hello',
      version: 1,
      run: { name: 'tiny', seed: 7 },
      next: 4,
      commands: [],
    });
    expect(viewer.messages[1]).toEqual({ type: 'metric', ...metricAt(0) });
    expect(viewer.metrics.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3]);
    expect(viewer.messages.at(-1)).toEqual({ type: 'live' });
  });

  it('sends each metric once, in sequence, to viewers that come at any time', async () => {
    const monitor = await start();
    const viewers = [await view(monitor)];
    for (let sequence = 0; sequence < 300; sequence++) {
      monitor.publish(metricAt(sequence));
      if (sequence % 100 === 50) viewers.push(await view(monitor));
      if (sequence % 7 === 0) await new Promise(setImmediate);
    }
    for (const viewer of viewers) {
      await viewer.until(() => viewer.metrics.length >= 300);
      expect(viewer.metrics.map(({ sequence }) => sequence)).toEqual(
        metrics(300).map(({ sequence }) => sequence),
      );
    }
  });

  it('sends a viewer that comes back only what it missed, and everything after a restart', async () => {
    const monitor = await start({ history: metrics(10) });
    const first = await view(monitor);
    await first.untilLive();
    const session = (first.messages[0] as { session: string }).session;
    const again = await view(monitor, `?session=${session}&after=6`);
    await again.untilLive();
    expect(again.metrics.map(({ sequence }) => sequence)).toEqual([7, 8, 9]);
    const stale = await view(monitor, '?session=of-another-start&after=6');
    await stale.untilLive();
    expect(stale.metrics).toHaveLength(10);
  });

  it('sends what is not finite as null', async () => {
    const monitor = await start({ history: [metricAt(0, { values: { loss: Number.NaN } })] });
    const viewer = await view(monitor);
    await viewer.untilLive();
    expect(viewer.metrics[0]?.values).toEqual({ loss: null });
  });

  it('tells viewers what state the run is in', async () => {
    const monitor = await start();
    const viewer = await view(monitor);
    await viewer.untilLive();
    monitor.publish(metricAt(0));
    monitor.setState('failed', 'loss is NaN');
    await viewer.until(() => viewer.messages.length >= 5);
    expect(viewer.messages[0]).toMatchObject({ state: 'starting' });
    expect(viewer.messages.filter(({ type }) => type === 'state')).toEqual([
      { type: 'state', state: 'running' },
      { type: 'state', state: 'failed', detail: 'loss is NaN' },
    ]);
  });

  it('closes an oversized message with 1009 and leaves other viewers alone', async () => {
    const monitor = await start();
    const [loud, quiet] = [await view(monitor), await view(monitor)];
    loud.socket.send('x'.repeat(5000));
    const [code] = (await once(loud.socket, 'close')) as [number];
    expect(code).toBe(1009);
    await quiet.untilLive();
    monitor.publish(metricAt(0));
    await quiet.until(() => quiet.metrics.length === 1);
  });

  it('gives one that has just come all of the history before it closes', async () => {
    const monitor = await start({ history: metrics(1500) });
    const viewer = await view(monitor);
    const live = viewer.untilLive();
    await monitor.close();
    await live;
    expect(viewer.metrics).toHaveLength(1500);
  });

  it('says goodbye with 1001 when it closes', async () => {
    const monitor = await startMonitor({ port: 0, description: { name: 'tiny' } });
    const viewer = await view(monitor);
    const closed = once(viewer.socket, 'close') as Promise<[number]>;
    await monitor.close();
    expect((await closed)[0]).toBe(1001);
  });
});

describe('commands', () => {
  const command = (id: string, name: string): string =>
    JSON.stringify({ type: 'command', id, command: name });

  it('are carried out, and answered under their id', async () => {
    const seen: string[] = [];
    const monitor = await start({
      onCommand: (name) => {
        if (name === 'stop') throw new Error('it is saving');
        seen.push(name);
      },
    });
    const viewer = await view(monitor);
    for (const [id, name] of ['pause', 'resume', 'stop'].entries())
      viewer.socket.send(command(String(id), name));
    const replies = (): unknown[] => viewer.messages.filter(({ type }) => type === 'reply');
    await viewer.until(() => replies().length === 3);
    expect(viewer.messages[0]).toMatchObject({ commands: ['pause', 'resume', 'stop'] });
    expect(seen).toEqual(['pause', 'resume']);
    const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);
    expect((replies() as { id: string }[]).sort(byId)).toEqual([
      { type: 'reply', id: '0', ok: true },
      { type: 'reply', id: '1', ok: true },
      { type: 'reply', id: '2', ok: false, code: 'MONITOR_COMMAND', error: 'it is saving' },
    ]);
  });

  it('are refused where nobody carries them out, and malformed ones are answered', async () => {
    const monitor = await start();
    const viewer = await view(monitor);
    const bad = ['{', 'null', '{"type":"x"}', command('', 'stop'), command('1', 'explode'), '[]'];
    for (const text of [command('7', 'stop'), ...bad]) viewer.socket.send(text);
    const answers = (): unknown[] =>
      viewer.messages.filter(({ type }) => type === 'reply' || type === 'error');
    await viewer.until(() => answers().length === 7);
    expect(answers()[0]).toEqual({
      ...{ type: 'reply', id: '7', ok: false },
      ...{ code: 'MONITOR_WATCH_ONLY', error: 'viewers only watch here' },
    });
    for (const answer of answers().slice(1)) expect(answer).toMatchObject({ code: 'MONITOR_MESSAGE' });
  });

  it('are not offered on an address that others can reach', async () => {
    const monitor = await start({ host: '0.0.0.0', onCommand: () => undefined });
    const viewer = await view(monitor);
    await viewer.untilLive();
    expect(viewer.messages[0]).toMatchObject({ commands: [] });
  });
});
