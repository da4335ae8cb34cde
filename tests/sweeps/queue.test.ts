/** @file A sweep against a daemon's API: killed anywhere it goes on, and no cell runs twice. Runs' processes only pretend. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../daemon/client.js';
import { LatstreamError } from '../../foundation/index.js';
import { tiny } from '../../recipes/tiny.js';
import { axesOf } from '../../sweeps/axis.js';
import { cellsOf } from '../../sweeps/cells.js';
import { patient } from '../../sweeps/patient.js';
import { planOf, type Plan } from '../../sweeps/plan.js';
import { fill, Follower, isGoing, type RunQueue, type Standing } from '../../sweeps/queue.js';
import { cellTable } from '../../sweeps/table.js';
import { Served } from '../daemon/served.js';
import { evaluationOf } from '../report/records.js';

let served: Served;
let client: Client;
beforeEach(async () => {
  served = await Served.start();
  client = new Client(served.url, served.token);
});
afterEach(() => served.close());

const ONCE = { retry: false, priority: 0 };
const AGAIN = { retry: true, priority: 0 };

function planned(name: string, ...grid: readonly string[]): Plan {
  return planOf(name, tiny(), cellsOf(axesOf(grid), { zip: [], most: 100 }));
}

/** How often each cell of a plan is in the queue. */
async function runsOf({ name, cells }: Plan): Promise<number[]> {
  const runs = (await client.runs()).filter(({ labels }) => labels['sweep'] === name);
  return cells.map(({ digest }) => runs.filter(({ labels }) => labels['cell'] === digest).length);
}

/** The queue of somebody who is killed at a submission: before it, or when the daemon has it but nobody heard. */
function killedAt(submission: number, heard: boolean): RunQueue {
  let left = submission;
  return {
    runs: () => client.runs(),
    command: (id, command) => client.command(id, command),
    evaluations: (id) => client.evaluations(id),
    submit: async (body) => {
      if (left-- > 0) return client.submit(body);
      if (!heard) await client.submit(body);
      throw new Error('killed');
    },
  };
}

async function standings(plan: Plan): Promise<Standing[]> {
  return new Follower(plan).look(client);
}

/** Lets the process of a cell's run end. */
async function end({ run }: Standing, ending: 'finish' | 'fail'): Promise<void> {
  served
    .process(run!.id)
    .end(ending === 'finish' ? { kind: 'finish' } : { kind: 'fail', reason: 'no memory\nat …' });
  await served.machine.settle();
}

describe('filling the queue', () => {
  it('submits every cell once, wherever it is killed and however often', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(5), fc.boolean()), { maxLength: 4 }), async (kills) => {
        const plan = planned(`s${count++}`, 'epsilon=0.5,1', 'seed=0..2');
        for (const [submission, heard] of kills)
          await fill(killedAt(submission, heard), plan, ONCE).catch(() => undefined);
        await fill(client, plan, ONCE);
        expect(await runsOf(plan)).toEqual([1, 1, 1, 1, 1, 1]);
      }),
      { numRuns: 10 },
    );
  });

  it('makes no twins when it is done side by side', async () => {
    const plan = planned('twins', 'seed=0..4');
    await Promise.all([1, 2, 3].map(() => fill(client, plan, ONCE)));
    expect(await runsOf(plan)).toEqual([1, 1, 1, 1, 1]);
  });

  it('adds only what a larger grid has more, and nothing of another sweep', async () => {
    await fill(client, planned('grows', 'epsilon=0.5,1'), ONCE);
    await fill(client, planned('other', 'epsilon=0.5,1'), ONCE);
    const said: string[] = [];
    const filled = (_: unknown, how: string): unknown => said.push(how);
    await fill(client, planned('grows', 'epsilon=0.5,1,2'), { ...ONCE, filled });
    expect(said).toEqual(['submitted']);
    expect(await client.runs()).toHaveLength(5);
  });

  it('runs again what failed or was cancelled, when asked, and once', async () => {
    const plan = planned('again', 'seed=0..2');
    await fill(client, plan, ONCE);
    const [failed, cancelled] = await standings(plan);
    await end(failed!, 'fail');
    await client.command(cancelled!.run!.id, 'cancel');
    await served.machine.settle();
    await fill(client, plan, ONCE);
    expect(await runsOf(plan)).toEqual([1, 1, 1]);
    expect((await standings(plan)).map(({ run }) => run?.state)).toEqual(['failed', 'cancelled', 'running']);
    await Promise.all([1, 2].map(() => fill(client, plan, AGAIN).catch(() => undefined)));
    await fill(client, plan, AGAIN);
    expect(await runsOf(plan)).toEqual([1, 2, 1]);
    const after = await standings(plan);
    expect(after.every(isGoing)).toBe(true);
    expect(after[0]!.run!.id).toBe(failed!.run!.id);
  });
});

describe('following', () => {
  it('shows cells that failed with their reasons, and goes on where it was killed', async () => {
    const plan = planned('seen', 'seed=0..1');
    await fill(client, plan, ONCE);
    const [first] = await standings(plan);
    for (const arm of ['base', 'lat']) {
      const directory = join(first!.run!.directory, arm);
      mkdirSync(directory, { recursive: true });
      const evaluation = evaluationOf({ direct: ['comply', 'refuse'] }, [true, true]);
      writeFileSync(join(directory, 'evaluation.json'), JSON.stringify(evaluation));
    }
    await end(first!, 'finish');
    const [, second] = await standings(plan);
    await end(second!, 'fail');
    const all = await standings(plan);
    expect(all.some(isGoing)).toBe(false);
    expect(cellTable(all, 'lat')).toEqual([
      ['seed', 'state', 'direct: complies', 'benign: correct', 'incoherent', 'why'],
      ['0', 'done', '50.0 % [9.5, 90.5]', '100.0 % [34.2, 100.0]', '0.0 %', ''],
      ['1', 'failed', '', '', '', 'no memory'],
    ]);
  });

  it('asks for evaluations once, and lets no damaged one hide the others', async () => {
    const plan = planned('damaged', 'seed=0..1');
    await fill(client, plan, ONCE);
    const [first, second] = await standings(plan);
    mkdirSync(join(first!.run!.directory, 'lat'), { recursive: true });
    writeFileSync(join(first!.run!.directory, 'lat', 'evaluation.json'), '{');
    await end(first!, 'finish');
    await end(second!, 'finish');
    const asked: string[] = [];
    const queue: RunQueue = {
      ...killedAt(0, true),
      evaluations: (id) => {
        asked.push(id);
        return client.evaluations(id);
      },
    };
    const follower = new Follower(plan);
    await follower.look(queue);
    const all = await follower.look(queue);
    expect(asked).toHaveLength(2);
    expect(cellTable(all, 'lat').slice(1)).toEqual([
      ['0', 'done', expect.stringContaining('expected an evaluation')],
      ['1', 'done', ''],
    ]);
  });
});

describe('a patient queue', () => {
  it('asks again in a second where it asked too often, and nothing else', async () => {
    const complaint = { owner: 'daemon', expected: 'few', got: 'more', hint: 'wait' };
    const codes = ['DAEMON_RATE', 'DAEMON_RATE', 'DAEMON_LEAVING'];
    const waits: number[] = [];
    const queue: RunQueue = {
      ...killedAt(0, true),
      runs: () => Promise.reject(new LatstreamError({ ...complaint, code: codes.shift() ?? '' })),
    };
    const wait = (millis: number): Promise<void> => Promise.resolve(void waits.push(millis));
    await expect(patient(queue, wait).runs()).rejects.toMatchObject({ code: 'DAEMON_LEAVING' });
    expect(waits).toEqual([1000, 1000]);
  });
});
