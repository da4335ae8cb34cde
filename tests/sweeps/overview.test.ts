/** @file What a daemon tells of a sweep: what the command line counts, from the labels of runs alone, and only what moved anew. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupsOf, measuresOf } from '../../sweeps/outcomes.js';
import { Overviews } from '../../sweeps/overview.js';
import type { SweepView } from '../../sweeps/protocol.js';
import { hold, refusalIn } from '../daemon/messages.js';
import { Served } from '../daemon/served.js';
import { sweepView } from '../../sweeps/protocol.js';
import { MadeUpSweep } from './made-up.js';

let served: Served;
beforeEach(async () => {
  served = await Served.start();
});
afterEach(() => served.close());

const get = (name: string): Promise<Response> =>
  fetch(`${served.url}/sweeps/${name}`, { headers: { authorization: `Bearer ${served.token}` } });
/** Once every mean is counted. */
async function view(name: string): Promise<SweepView> {
  const told = hold(sweepView, await (await get(name)).json());
  await new Promise((resolve) => setTimeout(resolve, 50));
  return told.means.some(({ measures }) => measures === null) ? view(name) : told;
}

describe('the overview of a sweep', () => {
  it('has the figures of the command line: cells alone, and means over seeds', async () => {
    const sweep = await MadeUpSweep.fill(served, 'radii', 'epsilon=0.1,1', 'seed=0..2');
    await sweep.finish(5);
    const early = hold(sweepView, await (await get('radii')).json());
    expect(early.means.map(({ measures }) => measures)).toEqual([null, null]);
    const standings = await sweep.standings();
    for (const arm of ['base', 'refusal', 'lat']) {
      const told = await view(`radii?arm=${arm}`);
      expect(told).toMatchObject({ name: 'radii', settings: ['epsilon', 'seed'], arm });
      expect(told.arms).toEqual(['base', 'refusal', 'lat']);
      expect(told.cells.map(({ settings }) => settings)).toEqual(
        [0.1, 1].flatMap((epsilon) => [0, 1, 2].map((seed) => ({ epsilon, seed }))),
      );
      expect(told.means.map(({ measures }) => measures)).toEqual(
        groupsOf(standings, arm).map(({ experiment }) => measuresOf(experiment, arm)),
      );
      expect(told.means.map(({ settings, runs }) => [settings, runs.length])).toEqual([
        [{ epsilon: 0.1 }, 3],
        [{ epsilon: 1 }, 2],
      ]);
      expect(told.cells[5]!.measures).toEqual([]);
      const { comply, counts } = standings[0]!.models[2]!.evaluation.attacks['latent']!;
      expect(told.cells[0]!.measures).toContainEqual({
        ...{ name: 'latent', counts: 'comply', ...comply, n: 40, incoherent: counts.incoherent },
      });
    }
    expect((await view('radii')).arm).toBe('lat');
    expect((await get('radii?arms=lat')).status).toBe(400);
  });

  it('reads again what moved, and nothing else', async () => {
    const sweep = await MadeUpSweep.fill(served, 'moves', 'epsilon=0.1,1', 'seed=0..1');
    await sweep.finish(3);
    const read: string[] = [];
    const overviews = new Overviews({
      all: () => sweep.client.runs(),
      recipe: async (id) => served.machine.store.recipe(id),
      evaluations: async (id) => {
        read.push(id);
        return sweep.client.evaluations(id);
      },
    });
    const counted = async (): Promise<SweepView> => {
      const told = await overviews.of('moves');
      return told.means.some(({ measures }) => measures === null) ? counted() : told;
    };
    const ids = (await sweep.standings()).map(({ run }) => run!.id);
    const first = await counted();
    expect(first.means.map(({ runs }) => runs)).toEqual([ids.slice(0, 2), ids.slice(2, 3)]);
    read.length = 0;
    expect(await Promise.all([counted(), counted()])).toEqual([first, first]);
    expect(read).toEqual([]);
    const last = (await sweep.standings())[3]!;
    sweep.record(last, 'lat');
    served.process(last.run!.id).end({ kind: 'finish' });
    await served.machine.settle();
    const later = await counted();
    expect(new Set(read)).toEqual(new Set(ids.slice(2)));
    expect(later.means.map(({ runs }) => runs)).toEqual([ids.slice(0, 2), ids.slice(2)]);
    expect(later.means[0]).toEqual(first.means[0]);
  });

  it('has no means without seeds, says what is damaged, takes the last run of a cell, and knows no other sweep', async () => {
    const sweep = await MadeUpSweep.fill(served, 'damaged', 'epsilon=0.1,1');
    await sweep.finish(1);
    const [first, second] = await sweep.standings();
    writeFileSync(join(first!.run!.directory, 'lat', 'evaluation.json'), '{');
    served.machine.supervisor.command(second!.run!.id, 'cancel');
    await served.machine.settle();
    const { recipe, digest } = second!;
    const labels = { sweep: 'damaged', cell: digest, epsilon: '1' };
    const again = await sweep.client.submit({ recipe, labels, name: 'again', priority: 0 });
    const told = await view('damaged');
    expect(told.means).toEqual([]);
    expect(told.cells[0]).toMatchObject({
      measures: [],
      damage: expect.stringContaining('evaluation.json') as unknown,
    });
    expect(told.cells[1]).toMatchObject({ run: again.id, damage: null });
    const missing = await get('another');
    expect(missing.status).toBe(404);
    expect(refusalIn(await missing.text()).error.code).toBe('SWEEP_UNKNOWN');
  });
});
