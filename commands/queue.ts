/** @file `latstream submit`, `runs`, `workers`, `pause`, `resume`, `stop`, `cancel` and `priority`: what people say to a daemon. */
import type { Command } from 'commander';
import type { RunCommand, RunView, WorkerView } from '../daemon/index.js';
import type { Settings } from '../operators/index.js';
import { loadRecipe } from '../recipes/index.js';
import { clientOf, withDaemon, type ClientOptions } from './daemon-client.js';
import { amount, collect, integer, whole } from './options.js';
import { portable } from './run/places.js';
import { tableOf } from './run/summary.js';

interface SubmitOptions extends ClientOptions {
  readonly set: readonly string[];
  readonly seed?: number;
  readonly priority?: number;
  readonly name?: string;
}

const MEANING: Readonly<Record<RunCommand, string>> = {
  pause: 'let a run save, end its process and wait until it is resumed',
  resume: 'queue a run again that was paused or stopped, or has failed: it goes on where it was',
  stop: 'let a run save and end',
  cancel: 'end a run at once, for good; its directory stays',
};

export function addQueue(program: Command): void {
  withDaemon(program.command('submit'))
    .description('queue a run with a daemon')
    .argument('<recipe>', 'as for train')
    .option('--set <path=value>', 'override a value of the recipe; repeatable', collect, [])
    .option('--seed <n>', "instead of the recipe's", whole(0))
    .option('--priority <n>', 'the greater goes first; negative ones too (default: 0)', integer)
    .option('--name <name>', "instead of the recipe's, in lists and directories")
    .action(submit);
  withDaemon(program.command('runs')).description('list the runs of a daemon').action(list);
  withDaemon(program.command('workers'))
    .description('list the daemons that share the queue of a daemon, and how many runs each has')
    .action(workers);
  for (const command of Object.keys(MEANING) as RunCommand[])
    withDaemon(program.command(command))
      .description(MEANING[command])
      .argument('<id>', 'of the run')
      .action(async (id: string, options: ClientOptions) =>
        tell(await (await clientOf(options)).command(id, command), options),
      );
  withDaemon(program.command('priority'))
    .description('change the priority of a run that waits')
    .argument('<id>', 'of the run')
    .argument('<n>', 'the greater goes first; negative ones behind --', integer)
    .action(async (id: string, n: number, options: ClientOptions) =>
      tell(await (await clientOf(options)).change(id, { priority: n }), options),
    );
  withDaemon(program.command('change'))
    .description('change settings of a run, from the next step of the arm that is trained')
    .argument('<id>', 'of the run')
    .option('--learning-rate <rate>', 'of the defence, before its schedule', amount)
    .option('--epsilon <radius>', "the attack's", amount)
    .option('--evaluate-every <steps>', 'between evaluations; 0 for none', whole(0))
    .action(async (id: string, options: ClientOptions & Settings) => {
      const { learningRate, epsilon, evaluateEvery } = options;
      const asked = Object.entries({ learningRate, epsilon, evaluateEvery }).filter(
        ([, value]) => value !== undefined,
      );
      tell(await (await clientOf(options)).change(id, { settings: Object.fromEntries(asked) }), options);
    });
}

async function submit(source: string, options: SubmitOptions): Promise<void> {
  const { seed, set, name, priority } = options;
  const recipe = portable(await loadRecipe(source, { seed, set }));
  const client = await clientOf(options);
  const asked = { ...(name !== undefined && { name }), ...(priority !== undefined && { priority }) };
  tell(await client.submit({ recipe, ...asked }), options);
}

async function list(options: ClientOptions): Promise<void> {
  const runs = await (await clientOf(options)).runs();
  process.stdout.write(options.json ? `${JSON.stringify({ runs })}\n` : `${tableOfRuns(runs)}\n`);
}

async function workers(options: ClientOptions): Promise<void> {
  const found = await (await clientOf(options)).workers();
  process.stdout.write(
    options.json ? `${JSON.stringify({ workers: found })}\n` : `${tableOfWorkers(found)}\n`,
  );
}

function tell(run: RunView, { json }: ClientOptions): void {
  const goal = run.goal === null ? '' : `, to be ${run.goal}`;
  const text = `${run.id}  ${run.state}${goal}  ${run.directory}`;
  process.stdout.write(`${json ? JSON.stringify(run) : text}\n`);
}

function tableOfRuns(runs: readonly RunView[]): string {
  return tableOf([
    ['id', 'name', 'priority', 'state', 'step', 'steps/s', 'live page, or why'],
    ...runs.map(({ id, name, priority, state, goal, live, reason }) => {
      const progress = live?.progress;
      return [
        id,
        name,
        String(priority),
        goal === null ? state : `${state} → ${goal}`,
        progress ? `${progress.part} ${progress.step}/${progress.steps}` : '',
        progress?.stepsPerSecond?.toFixed(2) ?? '',
        live?.page ?? reason?.split('\n')[0]?.slice(0, 120) ?? '',
      ];
    }),
  ]);
}

function tableOfWorkers(workers: readonly WorkerView[]): string {
  return tableOf([
    ['machine', 'process', 'version', 'since', 'runs', 'which'],
    ...workers.map(({ host, pid, version, since, parallel, runs, here }) => [
      here ? `${host} (asked)` : host,
      String(pid),
      version,
      since,
      `${runs.length}/${parallel}`,
      runs.join(' '),
    ]),
  ]);
}
