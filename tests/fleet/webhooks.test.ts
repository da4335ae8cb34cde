/** @file Webhooks of a queue that daemons share: each hears of everything once, whichever daemon is killed, hangs or comes too late. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Courier } from '../../daemon/courier.js';
import type { Webhook } from '../../daemon/webhooks.js';
import { redisAddress } from '../../fleet/address.js';
import { newsAbout } from '../../fleet/happened.js';
import { KEYS } from '../../fleet/keys.js';
import { groupOf, Mail } from '../../fleet/mail.js';
import { openConnection, type Connection } from '../../fleet/redis.js';
import type { Metric } from '../../streams/index.js';
import { RECIPE, type FakeRun } from '../daemon/helpers.js';
import { Receiver, typesOf } from '../helpers/receiver.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';
import { eventually, newRun, Node } from './helpers.js';

let root: string;
let server: RedisServer;
let redis: Connection;
let plain: Redis;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  if (withoutRedis) return;
  root = await mkdtemp(join(tmpdir(), 'latstream-hooks-'));
  server = await RedisServer.start();
  redis = await openConnection(redisAddress(server.url));
  plain = new Redis(server.url);
});
beforeEach(async () => {
  if (!withoutRedis) await plain.flushdb();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  if (withoutRedis) return;
  redis.disconnect();
  plain.disconnect();
  await server.remove();
  await rm(root, { recursive: true, force: true });
});

async function receiving(answers: readonly number[]): Promise<Receiver> {
  const receiver = await Receiver.start(answers);
  closing.push(() => receiver.close());
  return receiver;
}

async function node(webhooks: Webhook[], parallel = 1): Promise<Node> {
  const made = await Node.start(server.url, root, { webhooks, parallel });
  closing.push(() => made.stop());
  return made;
}

function delivering(hooks: readonly Webhook[], lease: number, patience = 500): void {
  const failed = (error: unknown): never => expect.unreachable(String(error));
  const mail = new Mail({ redis, shown: 'here', log: () => undefined, lease });
  const courier = new Courier(mail, { log: () => undefined, failed, patience });
  courier.configure(hooks);
  closing.push(() => courier.close());
}

const first = (of: Node): Promise<FakeRun> => eventually(() => of.alive[0]);

/** Nothing waits for an address any more. */
const settled = (url: string): Promise<true> =>
  eventually(async () => {
    const [pending] = (await plain.xpending(KEYS.news, groupOf(url))) as [number];
    return pending === 0 ? true : undefined;
  });

const news = (about = 'a'): string =>
  JSON.stringify(newsAbout({ event: 'finished', run: newRun(about), now: Date.now() }));
const told = (text = news()): Promise<unknown> => plain.xadd(KEYS.news, '*', 'n', text);

const metric = (run: string, loss: number, sequence = 0): Metric => ({
  ...{ run, sequence, time: 0, step: 1, kind: 'attack', values: { loss } },
});

describe.skipIf(withoutRedis)('webhooks of a shared queue', () => {
  it('hear of each event once, signed, though two daemons have them', { timeout: 60_000 }, async () => {
    const [all, some] = [await receiving([200]), await receiving([204])];
    const secret = Buffer.alloc(24, 7).toString('base64');
    const hooks: Webhook[] = [
      { url: all.url, secret },
      { url: some.url, events: ['failed'] },
    ];
    const hub = await node(hooks, 0);
    const worker = await node(hooks);
    const submit = () => hub.queue.submit({ name: 'x', recipe: RECIPE, priority: 0, labels: { who: 'me' } });
    const { id } = await submit();
    (await first(worker)).end({ kind: 'die', reason: 'out of luck' });
    const again = await eventually(() => worker.started[1]);
    await hub.queue.command(id, 'pause');
    await eventually(() => (again.stopped ? true : undefined));
    again.end({ kind: 'save' });
    await all.has(2);
    await hub.queue.command(id, 'resume');
    (await first(worker)).end({ kind: 'finish' });
    await all.has(3);
    await submit();
    (await first(worker)).end({ kind: 'fail', reason: 'for good' });
    const received = await all.has(4);
    // Two daemons deliver at the same time: one may be quicker.
    expect(typesOf(received).sort()).toEqual(['run.died', 'run.failed', 'run.finished', 'run.paused']);
    expect(received.find(({ body }) => body.type === 'run.died')?.body.data.run).toMatchObject({
      ...{ id, state: 'queued', reason: 'out of luck', attempts: 1, labels: { who: 'me' } },
    });
    for (const { headers, text, body } of received) {
      const signed = `${body.id}.${String(headers['webhook-timestamp'])}.${text}`;
      const hmac = createHmac('sha256', Buffer.alloc(24, 7)).update(signed).digest('base64');
      expect([headers['webhook-id'], headers['webhook-signature']]).toEqual([body.id, `v1,${hmac}`]);
    }
    expect(typesOf(await some.has(1))).toEqual(['run.failed']);
    await Promise.all([settled(all.url), settled(some.url)]);
    expect([all.received, some.received].map(({ length }) => length)).toEqual([4, 1]);
  });

  it('hear of what a killed daemon had taken, the same', { timeout: 60_000 }, async () => {
    const silent = await receiving([0, 200]);
    const program = new URL('../../dist/tests/fleet/hook-deliverer.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, server.url, silent.url]);
    closing.push(() => child.kill('SIGKILL'));
    await eventually(async () => ((await plain.hlen(KEYS.hooks)) > 0 ? true : undefined));
    for (const run of ['a', 'b', 'c']) await told(news(run));
    await silent.has(1); // under way, and not acknowledged
    child.kill('SIGKILL');
    await once(child, 'close');
    delivering([{ url: silent.url }], 1000);
    const received = await silent.has(4);
    expect(received.map(({ body }) => body.data.run['id']).sort()).toEqual(['a', 'a', 'b', 'c']);
    expect(new Set(received.map(({ text }) => text)).size).toBe(3);
  });

  it('come again after refusals and silence, and hold up no other address', { timeout: 60_000 }, async () => {
    const [bad, good] = [await receiving([500, 302, 0, 200]), await receiving([200])];
    delivering([{ url: bad.url }, { url: good.url }], 60_000);
    await eventually(async () => ((await plain.hlen(KEYS.hooks)) === 2 ? true : undefined));
    await told(news('a'));
    await good.has(1);
    await bad.has(1);
    await told(news('b'));
    await good.has(2);
    const received = await bad.has(5);
    expect(received.filter(({ body }) => body.data.run['id'] === 'a').length).toBeGreaterThan(1);
    await settled(bad.url);
    expect(new Set(received.map(({ text }) => text)).size).toBe(2);
    expect(good.received).toHaveLength(2);
  });

  it('hear once for each arm of a threshold, whoever has the run, and not from who comes too late', async () => {
    const receiver = await receiving([200]);
    const threshold = { kind: 'attack', metric: 'loss', below: 1 };
    const hooks: Webhook[] = [{ url: receiver.url, threshold, events: ['threshold', 'died'] }];
    await node([{ url: receiver.url }], 0); // its own settings do not say which threshold it was
    const worker = await node(hooks);
    const { id } = await worker.queue.submit({ name: 'x', recipe: RECIPE, priority: 0 });
    const before = await first(worker);
    for (const each of [metric('x/a', 1), metric('x/a', 0.5), metric('x/a', 0.2)])
      before.listener.metric(each);
    await receiver.has(1);
    before.end({ kind: 'die', reason: 'x' });
    const after = await eventually(() => worker.started[1]);
    for (const each of [metric('x/a', 0.4), metric('x/b', -1)]) after.listener.metric(each);
    const received = await receiver.has(3);
    const data = received.filter(({ body }) => body.type === 'run.threshold').map(({ body }) => body.data);
    expect(data).toMatchObject([
      { threshold, measured: metric('x/a', 0.5), run: { id, state: 'running' } },
      { threshold, measured: metric('x/b', -1) },
    ]);
    await plain.hincrby(KEYS.run(id), 'epoch', 1); // somebody has taken it
    after.listener.metric(metric('x/c', 0));
    await eventually(() => (after.over ? true : undefined));
    expect(await plain.smembers(KEYS.told(id))).toHaveLength(2);
    await settled(receiver.url);
    expect(receiver.received).toHaveLength(3);
  });
});
