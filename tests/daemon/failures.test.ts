/** @file What the machine may do to a daemon: a port that is taken, a clock that jumps, a database that another holds, a disk that takes nothing. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../../daemon/address.js';
import { Client } from '../../daemon/client.js';
import { DEFAULTS } from '../../daemon/config.js';
import { startDaemon, USUAL_PORT, type Daemon, type DaemonOptions } from '../../daemon/daemon.js';
import { Store } from '../../daemon/store.js';
import { RUN_STATES } from '../../daemon/transitions.js';
import { loadRecipe } from '../../recipes/index.js';
import { scratch } from '../helpers/cli.js';
import { mountEmpty, mountsMissing, unmount } from '../helpers/mounts.js';
import { FakeRun, Machine, RECIPE } from './helpers.js';

const { path } = scratch();

function start(state: string, more: Partial<DaemonOptions> = {}): Promise<Daemon> {
  return startDaemon({
    ...{ state, runs: join(state, 'runs'), host: '127.0.0.1', port: 0, allowedHosts: [], parallel: 1 },
    ...{ token: undefined, log: () => undefined, version: '0' },
    launch: () => expect.unreachable(),
    ...more,
  });
}

function directory(name: string): string {
  mkdirSync(path(name));
  return path(name);
}

describe('a port that is in use', () => {
  it('is said so where it was asked for, with nothing left open, and is passed over where it was not', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const state = directory('port');
    await expect(start(state, { port })).rejects.toMatchObject({
      code: 'DAEMON_PORT_IN_USE',
      message: expect.stringContaining(`port ${port} on 127.0.0.1`) as string,
    });
    other.close();
    const usual = createServer().listen(USUAL_PORT, '127.0.0.1');
    await Promise.race([once(usual, 'listening'), once(usual, 'error')]); // somebody has it now
    const daemon = await start(state, { port: undefined });
    expect(new URL(daemon.url).port).not.toBe(String(USUAL_PORT));
    await daemon.close();
    usual.close();
  });
});

describe('a clock that jumps', () => {
  const jump = fc.oneof(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: -7.2e6, max: 7.2e6 }));

  it('loses no run, keeps their order, and lets none wait longer than an hour of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(jump, { minLength: 1, maxLength: 5 }), async (jumps) => {
        const config = { retrySeconds: 60, attempts: 100 };
        const machine = new Machine(config);
        machine.now = 2e12;
        try {
          const ids = jumps.map((millis) => {
            machine.now += millis;
            return machine.supervisor.submit('x', RECIPE, 0).id;
          });
          const fill = (): void => machine.supervisor.configure({ ...DEFAULTS, ...config });
          for (const millis of jumps) {
            machine.alive[0]?.end({ kind: 'die', reason: 'killed' });
            await machine.settle();
            machine.now += millis;
            fill();
          }
          machine.now += 3600 * 1000;
          fill();
          expect(machine.alive).toHaveLength(1);
          const runs = machine.supervisor.all();
          expect(runs.map(({ id }) => id)).toEqual(ids);
          for (const { state } of runs) expect(RUN_STATES).toContain(state);
        } finally {
          machine.remove();
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe('a database that another process holds', () => {
  async function held<T>(file: string, work: () => Promise<T>): Promise<T> {
    const locker = spawn(process.execPath, [
      join(process.cwd(), 'dist', 'tests', 'daemon', 'locker.js'),
      file,
    ]);
    await once(locker.stdout, 'data');
    try {
      return await work();
    } finally {
      locker.stdin.end();
      await once(locker, 'close');
    }
  }

  it('refuses changes with a code and answers questions; what ends meanwhile is written when it is free', async () => {
    const state = directory('locked');
    const fakes: FakeRun[] = [];
    const launch: DaemonOptions['launch'] = (run, listener) => {
      fakes.push(new FakeRun(run, listener));
      return fakes.at(-1)!;
    };
    const daemon = await start(state, { launch });
    const client = new Client(daemon.url, (await readAddress(state))!.token);
    const recipe = await loadRecipe('tiny');
    const first = await client.submit({ recipe });
    const waiting = await client.submit({ recipe });
    await held(join(state, 'daemon.db'), async () => {
      const refused = { code: 'DAEMON_STATE_WRITE' };
      await expect(client.submit({ recipe })).rejects.toMatchObject(refused);
      await expect(client.command(first.id, 'pause')).rejects.toMatchObject(refused);
      await expect(client.change(waiting.id, { priority: 1 })).rejects.toMatchObject(refused);
      fakes[0]!.end({ kind: 'finish' });
      expect(await client.runs()).toMatchObject([
        { id: first.id, state: 'running' },
        { id: waiting.id, state: 'queued', priority: 0 },
      ]);
    });
    await expect
      .poll(async () => (await client.runs()).map(({ state: at }) => at), { timeout: 20_000 })
      .toEqual(['done', 'running']);
    fakes[1]!.kill(); // as a machine that goes down would
    const closing = daemon.close();
    daemon.hurry();
    await closing;
  });

  it('lets no daemon begin that has something to write, and leaves nothing of it open', async () => {
    const state = directory('locked-at-start');
    const store = new Store(join(state, 'daemon.db'));
    store.submit({ id: 'a', name: 'x', recipe: RECIPE, directory: join(state, 'a'), priority: 0 }, 1);
    store.happen('a', 'start', { now: 1, most: 3 });
    store.close();
    const launch: DaemonOptions['launch'] = (run, listener) => new FakeRun(run, listener);
    const port = 20_000 + (process.pid % 20_000);
    await held(join(state, 'daemon.db'), () =>
      expect(start(state, { launch, port })).rejects.toMatchObject({ code: 'DAEMON_STATE_WRITE' }),
    );
    const daemon = await start(state, { launch, port });
    const client = new Client(daemon.url, (await readAddress(state))!.token);
    expect(await client.runs()).toMatchObject([{ state: 'running' }]);
    const closing = daemon.close();
    daemon.hurry();
    await closing;
  });
});

describe('a state directory that takes nothing', () => {
  const refused = { code: 'DAEMON_STATE_WRITE' };

  it('that is removed while a daemon runs is said so, and takes nothing until it is back', async () => {
    const [state, away] = [directory('removed'), path('away')];
    const daemon = await start(state, { parallel: 0 });
    const { url, token } = (await readAddress(state))!;
    const client = new Client(url, token);
    const ready = async (): Promise<number> => (await fetch(new URL('/readyz', url))).status;
    try {
      expect(await ready()).toBe(200);
      renameSync(state, away);
      expect(await ready()).toBe(503);
      await expect(client.submit({ recipe: RECIPE })).rejects.toMatchObject({ code: 'DAEMON_STATE_WRITE' });
      renameSync(away, state);
      expect(await ready()).toBe(200);
      await client.submit({ recipe: RECIPE });
      expect(await client.runs()).toHaveLength(1);
    } finally {
      await daemon.close();
    }
  });

  it('is said so where it is no directory', async () => {
    writeFileSync(path('file'), '');
    await expect(start(path('file/state'))).rejects.toMatchObject(refused);
    await expect(start(path('nowhere'))).rejects.toMatchObject(refused);
  });

  it.skipIf(mountsMissing)('is said so where its disk is read-only', async () => {
    const state = directory('read-only');
    mountEmpty(state, 'ro');
    try {
      await expect(start(state)).rejects.toMatchObject(refused);
    } finally {
      unmount(state);
    }
  });
});
