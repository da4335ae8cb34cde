/** @file Webhooks: whatever the receiver and the daemon do, what happened arrives, signed, and nobody else waits for it. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULTS, readConfig } from '../../daemon/config.js';
import { openDatabase } from '../../daemon/database.js';
import { Outbox } from '../../daemon/outbox.js';
import { Postman, type PostmanParts } from '../../daemon/postman.js';
import { Store } from '../../daemon/store.js';
import { isBeyond, type Webhook } from '../../daemon/webhooks.js';
import { scratch } from '../helpers/cli.js';
import { Receiver, typesOf } from '../helpers/receiver.js';
import { RECIPE } from './helpers.js';

const { path } = scratch();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function receiving(answers: readonly number[]): Promise<Receiver> {
  const receiver = await Receiver.start(answers);
  closing.push(() => receiver.close());
  return receiver;
}

const happening = { now: Date.now(), most: 2 };

function storeWith(name: string, hooks: readonly Webhook[], rest: Partial<PostmanParts> = {}) {
  const store = new Store(path(name));
  const postman = new Postman({ store, hooks, log: () => undefined, ...rest });
  postman.start();
  closing.push(async () => {
    await postman.close();
    store.close();
  });
  const submit = (id: string): void =>
    void store.submit({ id, name: 'x', recipe: RECIPE, directory: path(`${name}-${id}`), priority: 0 }, 0);
  submit('a');
  return { store, postman, submit };
}

describe('webhooks', () => {
  it('tell what they are asked to, signed as Standard Webhooks says', async () => {
    const [all, some] = [await receiving([200]), await receiving([204])];
    const secret = Buffer.alloc(24, 7).toString('base64');
    const hooks: Webhook[] = [
      { url: all.url, secret: `whsec_${secret}` },
      { url: some.url, events: ['failed'] },
    ];
    const { store, submit } = storeWith('signed', hooks);
    store.happen('a', 'start', happening);
    store.happen('a', 'die', { ...happening, reason: 'out of luck' });
    store.happen('a', 'start', happening);
    store.happen('a', 'die', { ...happening, reason: 'again' });
    submit('b');
    store.happen('b', 'pause', happening);
    store.happen('b', 'resume', happening);
    store.happen('b', 'start', happening);
    store.happen('b', 'finish', happening);
    const received = await all.has(5);
    expect(typesOf(received)).toEqual(['run.died', 'run.died', 'run.failed', 'run.paused', 'run.finished']);
    expect(typesOf(await some.has(1))).toEqual(['run.failed']);
    expect(received[0]!.body.data.run).toMatchObject({
      id: 'a',
      state: 'queued',
      reason: 'out of luck',
      labels: {},
    });
    for (const { headers, text, body } of received) {
      expect(headers['webhook-id']).toBe(body.id);
      const signed = `${body.id}.${String(headers['webhook-timestamp'])}.${text}`;
      const hmac = createHmac('sha256', Buffer.alloc(24, 7)).update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${hmac}`);
    }
    expect(some.received[0]!.headers['webhook-signature']).toBeUndefined();
  });

  it('come again, the same, after a redirection and a silence, and hold up no other address', async () => {
    const [bad, good] = [await receiving([302, 0, 200]), await receiving([200])];
    const { store } = storeWith('retried', [{ url: bad.url }, { url: good.url }], { patience: 500 });
    store.happen('a', 'pause', happening);
    expect(typesOf(await good.has(1))).toEqual(['run.paused']);
    const received = await bad.has(3);
    expect(new Set(received.map(({ text }) => text)).size).toBe(1);
    while (store.outbox.urls().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(good.received).toHaveLength(1);
  }, 60_000);

  it('survive kill -9 between what happened and its delivery', async () => {
    const silent = await receiving([0, 200]);
    const poster = new URL('../../dist/tests/daemon/hook-poster.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [poster, path('killed'), silent.url]);
    closing.push(() => child.kill('SIGKILL'));
    await silent.has(1); // under way, and not acknowledged
    child.kill('SIGKILL');
    await once(child, 'close');
    const store = new Store(path('killed'));
    const postman = new Postman({ store, hooks: [{ url: silent.url }], log: () => undefined });
    postman.start();
    const received = await silent.has(2);
    expect(received[1]!.text).toBe(received[0]!.text);
    expect(received[1]!.body).toMatchObject({
      type: 'run.finished',
      data: { run: { id: 'a', state: 'done' } },
    });
    await postman.close();
    store.close();
  }, 60_000);

  it('tell once for each arm that a metric got beyond a threshold, through restarts', async () => {
    const receiver = await receiving([200]);
    const threshold = { kind: 'attack', metric: 'loss', below: 1 };
    const { store, postman } = storeWith('bound', [{ url: receiver.url, threshold, events: ['threshold'] }]);
    const metric = (run: string, kind: string, loss: number) =>
      ({ run, kind, sequence: 3, time: 0, step: 7, values: { loss } }) as const;
    const measured = [metric('x/a', 'attack', 1), metric('x/a', 'defend', 0), metric('x/a', 'attack', 0.5)];
    for (const each of [...measured, ...measured, metric('x/b', 'attack', -1)]) postman.hear('a', each);
    const again = new Postman({ store, hooks: [{ url: receiver.url, threshold }], log: () => undefined });
    for (const each of measured) again.hear('a', each);
    await again.close();
    store.happen('a', 'cancel', happening);
    const received = await receiver.has(2);
    expect(received.map(({ body }) => [body.type, body.data.measured])).toEqual([
      ['run.threshold', metric('x/a', 'attack', 0.5)],
      ['run.threshold', metric('x/b', 'attack', -1)],
    ]);
  });

  it('know what is beyond: no bound is, and nothing that is no number', () => {
    fc.assert(
      fc.property(fc.double(), fc.double({ noNaN: true }), (value, bound) => {
        const metric = { run: 'x', kind: 'k', sequence: 0, time: 0, step: 0, values: { m: value } };
        const is = (side: 'above' | 'below') => isBeyond({ kind: 'k', metric: 'm', [side]: bound }, metric);
        expect([is('above'), is('below')]).toEqual([value > bound, value < bound]);
        expect(isBeyond({ kind: 'k', metric: 'other', above: bound }, metric)).toBe(false);
      }),
    );
  });

  it('keep no more letters than they may, the newest, and none for an address that is no longer named', async () => {
    const { store, postman } = storeWith('bounded', []);
    const outbox = new Outbox(openDatabase(path('bounded')), 3);
    const letters = ['p', 'q', 'r', 's'].map((id) => ({
      id,
      url: 'http://127.0.0.1:1/',
      body: '{}',
      created: 0,
    }));
    for (const each of letters) outbox.add(each);
    expect(outbox.due('http://127.0.0.1:1/', 0)?.id).toBe('q');
    postman.configure([]);
    expect(store.outbox.urls()).toEqual([]);
  });
});

describe('the configuration of webhooks', () => {
  const read = async (yaml: string) => {
    await mkdir(path('config'), { recursive: true });
    await writeFile(path('config/config.yaml'), yaml);
    return readConfig(path('config/config.yaml'), DEFAULTS);
  };

  it('is read', async () => {
    const hook = {
      url: 'https://example.org/x',
      threshold: { kind: 'evaluate', metric: 'directComply', above: 0.5 },
    };
    expect((await read(`webhooks: [${JSON.stringify(hook)}]`))?.webhooks).toEqual([hook]);
  });

  it.each([
    ['no address', '{ url: example.org }'],
    ['another protocol', '{ url: "file:///etc/passwd" }'],
    ['a password', '{ url: "https://me:secret@example.org/" }'],
    ['an unknown event', '{ url: "https://example.org", events: [started] }'],
    ['no events', '{ url: "https://example.org", events: [] }'],
    ['a threshold without a bound', '{ url: "https://example.org", threshold: { kind: a, metric: b } }'],
    ['two bounds', '{ url: "https://example.org", threshold: { kind: a, metric: b, above: 1, below: 0 } }'],
    ['an event without its threshold', '{ url: "https://example.org", events: [threshold] }'],
    [
      'a threshold without its event',
      '{ url: "https://x.org", events: [died], threshold: { kind: a, metric: b, above: 1 } }',
    ],
    ['a weak secret', '{ url: "https://example.org", secret: secret }'],
    ['an unknown key', '{ url: "https://example.org", method: GET }'],
    ['one address twice', '{ url: "https://example.org" }, { url: "https://example.org" }'],
  ])('is refused with %s', async (_, hook) => {
    await expect(read(`webhooks: [${hook}]`)).rejects.toMatchObject({ code: 'DAEMON_CONFIG' });
  });
});
