/** @file Whatever people ask for and whenever the daemon dies: no run is lost, none runs twice. The store is real, processes are not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LaunchEnd } from '../../daemon/launch.js';
import { RUN_COMMANDS, WITH_PROCESS } from '../../daemon/transitions.js';
import { LatstreamError } from '../../foundation/index.js';
import { Machine, RECIPE } from './helpers.js';

const ENDS: readonly LaunchEnd[] = [
  { kind: 'save' },
  { kind: 'finish' },
  { kind: 'fail', reason: 'of its own' },
  { kind: 'die', reason: 'of something else' },
];

type Move = (machine: Machine, ids: string[]) => void;

const at = fc.nat({ max: 7 });
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.integer({ min: -2, max: 2 }).map((priority): Move => (machine, ids) => {
    ids.push(machine.supervisor.submit('x', RECIPE, priority).id);
  }),
  fc.tuple(at, fc.constantFrom(...RUN_COMMANDS)).map(([which, command]): Move => ({ supervisor }, ids) => {
    const id = ids[which % ids.length];
    try {
      if (id !== undefined) supervisor.command(id, command);
    } catch (error) {
      expect((error as LatstreamError).code).toBe('DAEMON_RUN_STATE');
    }
  }),
  fc.tuple(at, fc.constantFrom(...ENDS)).map(
    ([which, end]): Move =>
      ({ alive }) =>
        alive[which % alive.length]?.end(end),
  ),
  fc.constant<Move>((machine) => machine.crash()),
);

/** Each run that should have a process has one, nothing else has, and all that was submitted is there. */
function isWhole(machine: Machine, ids: readonly string[], parallel: number): void {
  const runs = machine.store.all();
  expect(runs.map(({ id }) => id)).toEqual(ids);
  const alive = machine.alive.map(({ run }) => run.id);
  expect(alive.length).toBeLessThanOrEqual(parallel);
  const should = runs.filter(({ state }) => WITH_PROCESS.includes(state)).map(({ id }) => id);
  expect([...alive].sort()).toEqual([...should].sort());
  const waiting = runs.filter(({ state }) => state === 'queued').length;
  if (waiting > 0) expect(alive).toHaveLength(parallel);
}

describe('a supervisor', () => {
  it('loses no run and runs none twice, whatever is asked for and whenever it dies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { maxLength: 20 }),
        fc.integer({ min: 1, max: 3 }),
        async (moves, parallel) => {
          const machine = new Machine({ parallel });
          const ids: string[] = [];
          try {
            for (const each of moves) {
              each(machine, ids);
              await machine.settle();
              isWhole(machine, ids, parallel);
            }
          } finally {
            machine.remove();
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('takes the greatest priority first, and of equal ones the oldest', async () => {
    const machine = new Machine();
    const [first, ...rest] = [0, 1, 5, 1].map(
      (priority) => machine.supervisor.submit('x', RECIPE, priority).id,
    );
    machine.supervisor.change(rest[2]!, { priority: 9 });
    for (let run = 0; run < 4; run++) {
      machine.alive[0]?.end({ kind: 'finish' });
      await machine.settle();
    }
    expect(machine.started.map(({ run }) => run.id)).toEqual([first, rest[2], rest[1], rest[0]]);
    machine.remove();
  });

  it('gives a run up after as many deaths as it may die, but not while it gets further between them', async () => {
    const machine = new Machine({ attempts: 2 });
    const { id } = machine.supervisor.submit('x', RECIPE, 0);
    const die = async (checkpoint?: number): Promise<string> => {
      if (checkpoint !== undefined) machine.alive[0]!.checkpoint(checkpoint);
      machine.alive[0]!.end({ kind: 'die', reason: 'killed' });
      await machine.settle();
      return machine.store.find(id).state;
    };
    expect([await die(10), await die(20), await die(30)]).toEqual(['running', 'running', 'running']);
    expect(await die(30)).toBe('failed');
    expect(machine.store.find(id).reason).toBe('killed');
    machine.remove();
  });

  it('waits longer after each death, and no longer than that where the clock was set back', async () => {
    const machine = new Machine({ retrySeconds: 100, attempts: 9 });
    const { id } = machine.supervisor.submit('x', RECIPE, 0);
    const waits: number[] = [];
    for (let death = 0; death < 3; death++) {
      machine.alive[0]!.end({ kind: 'die', reason: 'killed' });
      await machine.settle();
      expect(machine.alive).toEqual([]);
      waits.push(machine.store.find(id).retry - machine.now);
      machine.now += death < 2 ? waits.at(-1)! : -1e9;
      machine.crash();
    }
    expect(waits).toEqual([100_000, 200_000, 400_000]);
    expect(machine.alive).toHaveLength(1);
    await closed(machine);
  });

  it('asks for settings until they are taken, through crashes of both', async () => {
    const machine = new Machine();
    const { id } = machine.supervisor.submit('x', RECIPE, 0);
    const asked = (): unknown => JSON.parse(machine.store.find(id).settings);
    machine.supervisor.change(id, { settings: { epsilon: 1, learningRate: 0.1 } });
    expect(machine.alive[0]!.asked).toEqual({ epsilon: 1, learningRate: 0.1 });
    machine.crash();
    expect(machine.alive[0]!.run.settings).toEqual({ epsilon: 1, learningRate: 0.1 });
    machine.supervisor.change(id, { settings: { epsilon: 2 } });
    // What was taken is what had been asked for before.
    machine.alive[0]!.listener.changed({ epsilon: 1, learningRate: 0.1 });
    expect(asked()).toEqual({ epsilon: 2 });
    machine.alive[0]!.listener.changed({ epsilon: 2 });
    expect(asked()).toEqual({});
    machine.alive[0]!.end({ kind: 'finish' });
    await machine.settle();
    expect(() => machine.supervisor.change(id, { settings: { epsilon: 3 } })).toThrow(/change of settings/);
    machine.remove();
  });

  it('lets runs save when it is told to go, and has them in the queue again', async () => {
    const machine = new Machine({ parallel: 2, graceSeconds: 0.05 });
    const ids = [1, 2].map(() => machine.supervisor.submit('x', RECIPE, 0).id);
    const closing = machine.supervisor.close();
    expect(machine.alive.map(({ stopped }) => stopped)).toEqual([true, true]);
    expect(() => machine.supervisor.submit('x', RECIPE, 0)).toThrow(/about to exit/);
    machine.alive[0]!.end({ kind: 'save' }); // the other one does not, and is killed
    await closing;
    expect(ids.map((id) => machine.store.find(id).state)).toEqual(['queued', 'queued']);
    expect(machine.alive).toEqual([]);
    machine.remove();
  });
});

async function closed(machine: Machine): Promise<void> {
  const closing = machine.supervisor.close();
  machine.alive.forEach((run) => run.end({ kind: 'save' }));
  await closing;
  machine.remove();
}
