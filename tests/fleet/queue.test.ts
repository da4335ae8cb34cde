/** @file What people see of and do to a queue that several daemons share. Redis and the store are real, processes are not. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunView } from '../../daemon/index.js';
import { KEYS } from '../../fleet/keys.js';
import type { Metric } from '../../streams/index.js';
import { RECIPE, type FakeRun } from '../daemon/helpers.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';
import { eventually, Node } from './helpers.js';

let root: string;
let server: RedisServer;
const nodes: Node[] = [];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'latstream-fleet-'));
  server = await RedisServer.start(true);
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await server.remove();
  await rm(root, { recursive: true, force: true });
});

async function node(config: Parameters<typeof Node.start>[2] = {}): Promise<Node> {
  const made = await Node.start(server.url, root, config);
  nodes.push(made);
  return made;
}

const first = (of: Node): Promise<FakeRun> => eventually(() => of.alive[0]);

function stateOf(of: Node, id: string, state: RunView['state']): Promise<RunView> {
  return eventually(async () => (await of.queue.all()).find((run) => run.id === id && run.state === state));
}

const metric = (sequence: number, kind = 'defend'): Metric => ({
  ...{ run: 'x/lat', sequence, time: sequence, step: sequence, kind, values: { loss: sequence } },
});

async function leave(run: FakeRun, name: string, text: string): Promise<void> {
  const path = join(run.run.directory, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
}

const submit = (of: Node, priority = 0): Promise<RunView> =>
  of.queue.submit({ name: 'x', recipe: RECIPE, priority });

describe.skipIf(withoutRedis)('a shared queue', () => {
  it('gives the greatest priority first, and of equal ones the oldest', async () => {
    const hub = await node({ parallel: 0 });
    const ids: string[] = [];
    for (const priority of [0, 5, -3, 5]) ids.push((await submit(hub, priority)).id);
    await hub.queue.change(ids[2]!, { priority: 9 });
    const worker = await node();
    const order: string[] = [];
    for (let run = 0; run < 4; run++) {
      const fake = await first(worker);
      order.push(fake.run.id);
      fake.end({ kind: 'finish' });
      await stateOf(hub, fake.run.id, 'done');
    }
    expect(order).toEqual([ids[2], ids[1], ids[3], ids[0]]);
  });

  it('shows, changes, pauses and resumes what trains on another machine', async () => {
    const hub = await node({ parallel: 0 });
    const worker = await node();
    const { id } = await submit(hub);
    const before = await first(worker);
    for (const at of [0, 1, 2]) before.listener.metric(metric(at));
    await leave(before, 'lat/checkpoints/step-000002/state.safetensors', 'weights');
    const page = await eventually(async () => {
      const found = await hub.queue.metrics(id, '', 100);
      return found.metrics.length === 3 ? found : undefined;
    });
    expect(page).toMatchObject({ fresh: true, more: false, metrics: [0, 1, 2].map((at) => metric(at)) });
    before.listener.metric(metric(3));
    const rest = await eventually(async () => {
      const found = await hub.queue.metrics(id, page.next, 100);
      return found.metrics.length > 0 ? found : undefined;
    });
    expect(rest).toMatchObject({ fresh: false, metrics: [metric(3)] });
    const [seen] = await hub.queue.all();
    expect(seen).toMatchObject({ state: 'running', live: { page: null, pid: null } });
    expect((await worker.queue.all())[0]?.live?.page).toBe('http://127.0.0.1:1/');

    await hub.queue.change(id, { settings: { epsilon: 2 } });
    await eventually(() => (before.asked.epsilon === 2 ? true : undefined));
    before.listener.changed({ epsilon: 2 });
    expect(await hub.queue.command(id, 'pause')).toMatchObject({ state: 'stopping', goal: 'paused' });
    await eventually(() => (before.stopped ? true : undefined));
    before.end({ kind: 'save' });
    expect(await stateOf(hub, id, 'paused')).toMatchObject({ asked: {} });
    await expect(hub.queue.command(id, 'pause')).rejects.toMatchObject({ code: 'DAEMON_RUN_STATE' });

    await hub.queue.command(id, 'resume');
    const after = await first(worker);
    expect(after.run.directory).not.toBe(before.run.directory);
    const state = join(after.run.directory, 'lat/checkpoints/step-000002/state.safetensors');
    expect(await readFile(state, 'utf8')).toBe('weights');
    // It begins behind its checkpoint: what was measured after it is void.
    await leave(after, 'metrics.ndjson', [0, 1, 2].map((at) => `${JSON.stringify(metric(at))}\n`).join(''));
    after.listener.metric(metric(2, 'evaluate'));
    const anew = await eventually(async () => {
      const found = await hub.queue.metrics(id, rest.next, 100);
      return found.fresh ? found : undefined;
    });
    expect(anew.metrics.map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [0, 'defend'],
      [1, 'defend'],
      [2, 'evaluate'],
    ]);
    const said = { under: 'direct', index: 0, request: 'r', given: '', generated: 'g', outcome: 'refuse' };
    await leave(after, 'lat/answers.jsonl', `${JSON.stringify(said)}\n`);
    after.end({ kind: 'finish' });
    await stateOf(hub, id, 'done');
    expect((await hub.queue.answers(id, 0)).answers).toEqual([{ arm: 'lat', ...said }]);
    const { events, lines } = await hub.queue.log(id);
    expect(events.map(({ event }) => event)).toEqual([
      ...['submit', 'start', 'pause', 'save', 'resume', 'start', 'finish'],
    ]);
    expect(lines.some(({ message }) => message.endsWith('run done'))).toBe(true);
  });

  it('kills what is cancelled elsewhere, for good', async () => {
    const hub = await node({ parallel: 0 });
    const worker = await node();
    const { id } = await submit(hub);
    await first(worker);
    await hub.queue.command(id, 'cancel');
    expect(await stateOf(hub, id, 'cancelled')).toMatchObject({ commands: [] });
    expect(worker.alive).toEqual([]);
    const waiting = await submit(hub, 1);
    await first(worker);
    const never = await submit(hub, 0);
    await hub.queue.command(never.id, 'cancel');
    worker.alive[0]?.end({ kind: 'finish' });
    await stateOf(hub, waiting.id, 'done');
    expect(worker.started).toHaveLength(2);
  });

  it('tries again what died, as often as it may', async () => {
    const worker = await node({ attempts: 2 });
    const { id } = await submit(worker);
    for (const reason of ['once', 'twice']) {
      (await first(worker)).end({ kind: 'die', reason });
      await eventually(() => (worker.alive.length === 0 ? true : undefined));
    }
    expect(await stateOf(worker, id, 'failed')).toMatchObject({ attempts: 2, reason: 'twice' });
    expect(worker.queue.deaths).toBe(2);
  });

  it('gives what a leaving daemon had to another one, with what it had saved', async () => {
    const leaving = await node();
    const { id } = await submit(leaving);
    const fake = await first(leaving);
    await leave(fake, 'lat/checkpoints/step-000002/state.safetensors', 'weights');
    const left = leaving.queue.leave();
    await eventually(() => (fake.stopped ? true : undefined));
    fake.end({ kind: 'save' });
    await left;
    await expect(submit(leaving)).rejects.toMatchObject({ code: 'DAEMON_LEAVING' });
    const other = await node();
    const { run } = await first(other);
    expect(run.id).toBe(id);
    expect(await readFile(join(run.directory, 'lat/checkpoints/step-000002/state.safetensors'), 'utf8')).toBe(
      'weights',
    );
  });

  it('loses nothing to a Redis that is away for less than a lock lasts', { timeout: 60_000 }, async () => {
    const worker = await node({ lockSeconds: 20 });
    const { id } = await submit(worker);
    const fake = await first(worker);
    await server.kill();
    await expect(worker.queue.all()).rejects.toMatchObject({ code: 'FLEET_REDIS' });
    await leave(fake, 'summary.json', '{}');
    fake.listener.metric(metric(0));
    fake.end({ kind: 'finish' });
    await eventually(() =>
      worker.said.some((text) => text.startsWith('run not given back yet')) ? true : undefined,
    );
    await server.begin();
    await stateOf(worker, id, 'done');
    expect(worker.started).toHaveLength(1);
    expect((await worker.queue.metrics(id, '', 10)).metrics).toEqual([metric(0)]);
  });

  it('kills what it cannot renew, and goes on with it when Redis is back', { timeout: 60_000 }, async () => {
    const worker = await node({ lockSeconds: 2 });
    const { id } = await submit(worker);
    const fake = await first(worker);
    await server.kill();
    await eventually(() => (fake.over ? true : undefined));
    expect(worker.said.join('\n')).toContain('its lock could not be renewed');
    await server.begin();
    const again = await first(worker);
    expect(again.run.id).toBe(id);
    expect((await worker.queue.log(id)).events.map(({ event }) => event)).toEqual([
      'submit',
      'start',
      'die',
      'start',
    ]);
  });

  it('ends while Redis is away, and leaves its run to others', { timeout: 60_000 }, async () => {
    const worker = await Node.start(server.url, root, { graceSeconds: 0.1 });
    const { id } = await submit(worker);
    const fake = await first(worker);
    await server.kill();
    await worker.queue.leave();
    await worker.queue.close();
    expect(fake.over).toBe(true);
    await server.begin();
    expect((await first(await node())).run.id).toBe(id);
  });

  it('says which daemons there are, what they have, and that one has left or is not heard of', async () => {
    const hub = await node({ parallel: 0, lockSeconds: 1 });
    const worker = await node({ parallel: 3 });
    const { id } = await submit(hub);
    await first(worker);
    const [one, two] = await hub.queue.workers();
    expect(one).toMatchObject({ parallel: 0, runs: [], here: true, pid: process.pid, version: '0.1.0' });
    expect(two).toMatchObject({ parallel: 3, runs: [id], here: false, host: hostname() });
    expect((await worker.queue.workers()).map(({ here }) => here)).toEqual([false, true]);
    expect(Date.parse(two?.heard ?? '')).toBeGreaterThanOrEqual(Date.parse(two?.since ?? '') - 1000);
    await nodes.pop()?.stop();
    expect(await hub.queue.workers()).toMatchObject([{ id: one?.id }]);
    const redis = new Redis(server.url);
    await redis.sadd(KEYS.workers, 'somebody who was killed');
    expect((await hub.queue.workers()).map((each) => each.id)).toEqual([one?.id]);
    expect(await redis.smembers(KEYS.workers)).toEqual([one?.id]);
    redis.disconnect();
  });

  it('refuses a store that is not that of the others, and a server that does not answer', async () => {
    await node();
    const other = Node.start(server.url, root, {}, 'another');
    await expect(other).rejects.toMatchObject({ code: 'FLEET_STORE_DIFFERS' });
    const refused = await Node.start('redis://:secret@127.0.0.1:1', root).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'FLEET_REDIS' });
    expect((refused as Error).message).not.toContain('secret');
  });
});
