/**
 * @file The smallest complete story, in one process and in seconds: synthetic data → attack → defend → evaluate →
 * checkpoint → a metric on a socket. Then the same through the command line, with `/healthz` asked all the while.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { runJob } from '../commands/run/job.js';
import { placed } from '../commands/run/places.js';
import { startMonitor } from '../monitor/index.js';
import { describeRecipe, loadRecipe } from '../recipes/index.js';
import { Control, type Metric } from '../streams/index.js';
import { start } from './helpers/cli.js';

let out: string;
beforeAll(async () => (out = await mkdtemp(join(tmpdir(), 'latstream-tiny-'))));
afterAll(() => rm(out, { recursive: true, force: true }));

/** Metrics that a viewer at `url` receives, from the first on. */
function viewer(url: string): { readonly metrics: Metric[]; readonly opened: Promise<unknown> } {
  const socket = new WebSocket(`${url.replace('http', 'ws')}metrics`);
  const metrics: Metric[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as { type: string } & Metric;
    if (message.type === 'metric') metrics.push(message);
  });
  return { metrics, opened: once(socket, 'open') };
}

describe('the tiny recipe', () => {
  it('runs from synthetic data to metrics on a socket', async () => {
    const recipe = placed(await loadRecipe('tiny', { set: ['executor=onnxruntime', 'steps=3'] }), out);
    const monitor = await startMonitor({ port: 0, description: { name: 'tiny' } });
    const { metrics, opened } = viewer(monitor.url);
    await opened;
    const summary = await runJob(
      { recipe, out, dryRun: false },
      {
        control: new Control(),
        send: (message) => {
          if (message.type === 'metric') monitor.publish(message.metric);
        },
      },
    );
    expect(summary?.arms.map(({ name }) => name)).toEqual(['refusal', 'lat']);
    const last = (kind: string): Metric | undefined =>
      metrics.filter((metric) => metric.kind === kind).at(-1);
    await expect.poll(() => last('evaluate')?.step).toBe(3);
    await monitor.close();

    const attack = last('attack')?.values ?? {};
    expect(attack['loss']).toBeLessThan(attack['firstLoss'] ?? 0);
    expect(attack['norm/embedding']).toBeLessThanOrEqual(1 + 1e-5);
    expect(last('defend')?.run).toBe('tiny/lat');
    expect(last('progress')?.values).toMatchObject({ step: 3, steps: 3, secondsLeft: 0 });
    expect(Object.keys(last('evaluate')?.values ?? {})).toEqual(
      expect.arrayContaining(['directComply', 'prefill4ComplyLow', 'latentComplyHigh', 'benignAccuracy']),
    );
    expect(new Set(metrics.map(({ kind }) => kind))).toEqual(
      new Set(['evaluate', 'attack', 'defend', 'throughput', 'progress', 'checkpoint', 'stream']),
    );
    // What is drawn and what is counted go by the same names.
    const { graphs } = describeRecipe(recipe);
    for (const [arm, { nodes }] of Object.entries(graphs)) {
      const ofArm = metrics.filter(({ kind, run }) => kind === 'stream' && run === `tiny/${arm}`);
      const counted = new Set(
        Object.keys(ofArm.at(-1)?.values ?? {}).map((key) => key.slice(key.indexOf('/') + 1)),
      );
      expect([...counted].sort()).toEqual(
        nodes
          .map(({ id }) => id)
          .filter((id) => id !== 'evaluate' || counted.has(id))
          .sort(),
      );
    }
    const { attacks } = JSON.parse(await readFile(join(out, 'lat', 'evaluation.json'), 'utf8')) as {
      attacks: Record<string, { n: number; counts: Record<string, number> }>;
    };
    for (const { n, counts } of Object.values(attacks))
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(n);
  });

  it('answers /healthz while its steps compute', async () => {
    const args = ['train', 'tiny', '--port', '0', '--out', join(out, 'health')];
    const { child, ended } = start([...args, '--set', 'steps=25', '--set', 'evaluate.every=0']);
    const url = await new Promise<string>((resolve) => {
      let seen = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
        const found = /live page (\S+)/.exec(seen)?.[1];
        if (found) resolve(found);
      });
    });
    // How many metrics each answer knows of: they grow while answers come, so the run is computing meanwhile.
    const seen = new Set<number>();
    for (;;) {
      const response = await fetch(`${url}healthz`).catch(() => undefined);
      if (!response) break;
      const health = (await response.json()) as { status: string; next: number };
      expect(health.status).toBe('ok');
      seen.add(health.next);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(await ended).toMatchObject({ code: 0 });
    expect(seen.size).toBeGreaterThan(20);
  });
});
