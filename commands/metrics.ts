/** @file `latstream metrics`: what a run measured, for other programs. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { writeAtomically } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { csvLines, eventFile, metricsIn, writeRecordTable } from '../monitor/index.js';
import type { Metric } from '../streams/index.js';
import { METRICS, readRecipe } from './run/directory.js';
import { checkOutFile, makeDirectory } from './outputs.js';

const FORMATS = ['jsonl', 'csv', 'parquet', 'tensorboard'] as const;

interface MetricsOptions {
  readonly format: (typeof FORMATS)[number];
  readonly out?: string;
}

export function addMetrics(program: Command): void {
  program
    .command('metrics')
    .description('write what a run measured, for other programs: of a run that goes on, what there is so far')
    .argument('<run>', "the run's directory")
    .addOption(
      new Option('--format <name>', 'a row or line for each value, or event files')
        .choices(FORMATS)
        .default('csv'),
    )
    .option(
      '--out <path>',
      'a file; for tensorboard a directory, with one for each arm (default: standard output)',
    )
    .action(metrics);
}

async function metrics(directory: string, { format, out }: MetricsOptions): Promise<void> {
  const { out: run } = await readRecipe(directory);
  const path = join(run, METRICS);
  if (!existsSync(path))
    complain({
      code: 'RUN_EMPTY',
      owner: `run ${run}`,
      expected: 'something that was measured',
      got: `no ${METRICS}`,
      hint: 'wait until it has begun to train',
    });
  if (format === 'tensorboard') return eventFiles(path, out ?? place(format));
  if (format === 'parquet') {
    await checkOutFile(out ?? place(format));
    return writeRecordTable(resolve(out ?? ''), metricsIn(path));
  }
  const lines = format === 'csv' ? csvLines(metricsIn(path)) : jsonLines(metricsIn(path));
  if (out !== undefined) {
    await checkOutFile(out);
    return writeAtomically(resolve(out), lines);
  }
  for await (const line of lines) if (!process.stdout.write(line)) await once(process.stdout, 'drain');
}

function place(format: string): never {
  return complain({
    code: 'USAGE_OUT',
    owner: `metrics --format ${format}`,
    expected: '--out',
    got: 'none',
    hint: format === 'parquet' ? '--out metrics.parquet' : '--out DIR, then: tensorboard --logdir DIR',
  });
}

async function* jsonLines(from: AsyncIterable<Metric>): AsyncGenerator<string> {
  for await (const metric of from) yield `${JSON.stringify(metric)}\n`;
}

/** A directory for each arm, which TensorBoard takes for its run. The same record makes the same bytes. */
async function eventFiles(path: string, out: string): Promise<void> {
  const arms = new Map<string, number>();
  for await (const { run, time } of metricsIn(path)) if (!arms.has(run)) arms.set(run, time);
  for (const [arm, time] of arms) {
    const directory = join(resolve(out), ...arm.split('/').map(harmless));
    await makeDirectory(directory);
    const name = `events.out.tfevents.${String(Math.floor(time / 1000)).padStart(10, '0')}.latstream`;
    await writeAtomically(join(directory, name), eventFile(only(arm, metricsIn(path))));
  }
}

/** Names come from a file, which need not be ours. */
function harmless(name: string): string {
  return name.replace(/^\.*$|[^\w.-]/g, '_');
}

async function* only(arm: string, from: AsyncIterable<Metric>): AsyncGenerator<Metric> {
  for await (const metric of from) if (metric.run === arm) yield metric;
}
