/** @file A sweep of made-up outcomes, in a served daemon whose processes only pretend. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '../../daemon/client.js';
import { draws } from '../../foundation/index.js';
import { tiny } from '../../recipes/tiny.js';
import type { Metric } from '../../streams/index.js';
import { axesOf } from '../../sweeps/axis.js';
import { cellsOf, type Cell } from '../../sweeps/cells.js';
import { planOf, type Plan } from '../../sweeps/plan.js';
import { fill, Follower, type Standing } from '../../sweeps/queue.js';
import type { Served } from '../daemon/served.js';
import { evaluationOf } from '../report/records.js';

type Evaluation = Standing['models'][number]['evaluation'];
export const REQUESTS = 40;

/** Outcomes of a cell: attacks succeed less with a larger ε, more or less so by seed. */
export function evaluated(cell: Cell): Evaluation {
  const of = (name: string): number => Number(cell.find((each) => each.name === name)?.value ?? 1);
  const draw = draws(of('seed'), 'sweep-test', of('epsilon'));
  const rate = 1 / (1 + 2 * of('epsilon'));
  const outcomes = (most: number): ('comply' | 'refuse' | 'incoherent')[] =>
    Array.from({ length: REQUESTS }, () =>
      draw.uniform() < most * rate ? 'comply' : draw.uniform() < 0.1 ? 'incoherent' : 'refuse',
    );
  const benign = Array.from({ length: REQUESTS }, () => draw.uniform() < 0.95);
  return evaluationOf({ direct: outcomes(0.4), latent: outcomes(1) }, benign) as Evaluation;
}

/** A sweep in the queue of a served daemon. */
export class MadeUpSweep {
  private constructor(
    readonly plan: Plan,
    private readonly served: Served,
    readonly client: Client,
  ) {}

  static async fill(served: Served, name: string, ...grid: readonly string[]): Promise<MadeUpSweep> {
    const plan = planOf(name, tiny(), cellsOf(axesOf(grid), { zip: [], most: 1000 }));
    const client = new Client(served.url, served.token);
    await fill(client, plan, { retry: false, priority: 0 });
    return new MadeUpSweep(plan, served, client);
  }

  /** As the command line sees it. */
  standings(): Promise<Standing[]> {
    return new Follower(this.plan).look(this.client);
  }

  /** Writes what an arm of a run came to, and what it measured, as far as is given. */
  record({ cell, run }: Standing, arm: string, metrics: readonly Metric[] = []): void {
    const { directory = '' } = run ?? {};
    mkdirSync(join(directory, arm), { recursive: true });
    writeFileSync(join(directory, arm, 'evaluation.json'), JSON.stringify(evaluated(cell)));
    const lines = metrics.map((metric) => `${JSON.stringify(metric)}\n`);
    writeFileSync(join(directory, 'metrics.ndjson'), lines.join(''));
  }

  /** Lets so many cells, in their order, come to their ends. @param metrics of each of them */
  async finish(count = Infinity, metrics: readonly Metric[] = []): Promise<void> {
    for (let done = 0; done < Math.min(count, this.plan.cells.length); done++) {
      const standing = (await this.standings())[done] as Standing;
      for (const arm of ['base', 'refusal', 'lat']) this.record(standing, arm, metrics);
      this.served.process(standing.run?.id ?? '').end({ kind: 'finish' });
      await this.served.machine.settle();
    }
  }
}
