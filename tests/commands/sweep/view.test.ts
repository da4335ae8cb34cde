/** @file A sweep while it fills, as a terminal and as a file see it, and while its daemon goes and comes back. */
import { describe, expect, it } from 'vitest';
import { followed } from '../../../commands/sweep/follow.js';
import { SweepView } from '../../../commands/sweep/view.js';
import { runView, type RunView } from '../../../daemon/protocol.js';
import { LatstreamError } from '../../../foundation/index.js';
import { tiny } from '../../../recipes/tiny.js';
import { axesOf, cellsOf, planOf, type Plan, type RunQueue, type Standing } from '../../../sweeps/index.js';

const planned = (grid: string): Plan => planOf('s', tiny(), cellsOf(axesOf([grid]), { zip: [], most: 100 }));

function runOf(
  { digest }: { readonly digest: string },
  state: RunView['state'],
  reason: string | null = null,
): RunView {
  const ended = state === 'done' ? '2026-01-01T00:00:00.000Z' : null;
  return runView.parse({
    ...{ id: digest, name: 's', directory: '', priority: 0, labels: { sweep: 's', cell: digest } },
    ...{ state, reason, goal: null, commands: [], attempts: 0, asked: {} },
    ...{ created: null, started: null, ended, retry: null },
    live: state === 'running' ? { page: null, pid: null, progress: null } : null,
  });
}

const at = (plan: Plan, ...states: readonly RunView['state'][]): Standing[] =>
  plan.cells.map((cell, place) => ({ ...cell, run: runOf(cell, states[place] ?? 'queued'), models: [] }));

class Screen {
  written = '';
  constructor(
    readonly isTTY: boolean,
    readonly rows = 24,
    readonly columns = 80,
  ) {}
  write(text: string): boolean {
    this.written += text;
    return true;
  }
}

describe('a sweep while it fills', () => {
  it('says each change once where there is no terminal', () => {
    const screen = new Screen(false);
    const view = new SweepView('lat', false, undefined, screen);
    const plan = planned('seed=0..1');
    for (const states of [['running'], ['running'], ['done', 'running']] as const)
      view.see(at(plan, ...states));
    view.see([{ ...at(plan)[0]!, run: runOf(plan.cells[0]!, 'failed', 'no memory\nat …') }]);
    expect(screen.written.split('\n')).toEqual([
      ...[
        'seed=0: running',
        'seed=1: queued',
        'seed=0: done',
        'seed=1: running',
        'seed=0: failed (no memory)',
        '',
      ],
    ]);
  });

  it('draws one table anew in a terminal, with what tells most where not all fits', () => {
    const screen = new Screen(true, 9, 40);
    const view = new SweepView('lat', false, undefined, screen);
    const plan = planned('seed=0..29');
    const states = Array.from({ length: 30 }, (_, place): RunView['state'] =>
      place < 9 ? 'done' : place < 11 ? 'running' : 'queued',
    );
    view.see(at(plan, ...states));
    view.see(at(plan, ...states));
    expect(screen.written.split('\n')).toHaveLength(9);
    expect(screen.written).toMatch(/\n9 +running\n10 +running\n/);
    expect(screen.written).toContain('30 cells: 9 done, 2 running, 19 queued');
    screen.written = '';
    view.close();
    expect(screen.written).toContain('\u001b[8A');
  });

  it('waits for a daemon that is away, and ends when nothing goes on', async () => {
    const plan = planned('seed=0');
    const screen = new Screen(false);
    const away = new LatstreamError({
      code: 'DAEMON_UNREACHABLE',
      owner: 'daemon',
      expected: 'one',
      got: 'none',
      hint: 'wait',
    });
    const looks: (() => RunView)[] = [
      () => runOf(plan.cells[0]!, 'running'),
      () => {
        throw away;
      },
      () => runOf(plan.cells[0]!, 'cancelled'),
    ];
    let connected = 0;
    const queue = { runs: () => Promise.resolve([looks.shift()!()]) } as unknown as RunQueue;
    const connect = (): Promise<RunQueue> => {
      connected += 1;
      return Promise.resolve({ ...queue, runs: async () => queue.runs() });
    };
    const end = await followed(plan, connect, new SweepView('lat', false, undefined, screen), 1);
    expect(end).toMatchObject({ interrupted: false, standings: [{ run: { state: 'cancelled' } }] });
    expect(connected).toBe(2);
    expect(screen.written).toContain('waiting for it');
  });
});
