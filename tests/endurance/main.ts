/**
 * @file Long trials of the daemon and its live pages: `npm run soak -- --steps 20000 --seed 1` and
 * `npm run fan-out -- --honest 850 --stalled 100 --hostile 50 --steps 1000`. Figures go to bench/results.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { readContext } from '../../bench/context.js';
import { writeResults } from '../../bench/report.js';
import { describeFanOut, describeSoak, wrongIn } from './describe.js';
import { fanOut } from './fan-out.js';
import { soakPlot } from './plot.js';
import { soak } from './soak.js';

// This file runs as dist/tests/endurance/main.js.
const root = fileURLToPath(new URL('../../..', import.meta.url));
const say = (text: string): void => console.error(text);
const count = (text: string): number => Number.parseInt(text, 10);
type Asked = Record<'honest' | 'stalled' | 'hostile' | 'steps' | 'processes', number> & {
  readonly set: string[];
};
const program = new Command('endurance');

program
  .command('soak')
  .option('--steps <n>', 'of the run', count, 20_000)
  .option('--seed <n>', 'of the visits', count, 1)
  .option('--watchers <n>', 'viewers over WebSocket at a time', count, 20)
  .option('--readers <n>', "viewers of the daemon's page at a time", count, 3)
  .option('--plot <file>', 'an SVG of it')
  .action(
    async (
      options: Record<'steps' | 'seed' | 'watchers' | 'readers', number> & { readonly plot?: string },
    ) => {
      await kept('soak', async (directory) => {
        const result = await soak({ ...options, directory, say, sampleMilliseconds: 5000 });
        if (options.plot !== undefined) writeFileSync(options.plot, soakPlot(result.samples));
        return { result, text: describeSoak(result), wrong: [...result.errors, ...result.visits.failures] };
      });
    },
  );
program
  .command('fan-out')
  .option('--honest <n>', 'viewers that read', count, 850)
  .option('--stalled <n>', 'viewers that stop reading', count, 100)
  .option('--hostile <n>', 'visitors that mean no good', count, 50)
  .option('--steps <n>', 'of every window that is measured', count, 400)
  .option('--processes <n>', 'of viewers', count, 4)
  .option('--set <path=value...>', 'settings of the recipe tiny', ['attack.iterations=20'])
  .action(async (asked: Asked) => {
    await kept('fan-out', async (directory) => {
      const options = { ...asked, directory, say, drop: true };
      const result = await fanOut(options);
      return { result, text: describeFanOut(result), wrong: wrongIn(result, options) };
    });
  });
await program.parseAsync();

/** Keeps the figures with their context; the directory stays where something is wrong. */
async function kept(
  name: string,
  trial: (directory: string) => Promise<{ result: object; text: string; wrong: readonly string[] }>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), `latstream-${name}-`));
  const context = readContext(root);
  const { result, text, wrong } = await trial(directory);
  console.log(text);
  console.log(
    `\nwritten to ${writeResults(join(root, 'bench/results'), `daemon-${name}`, context, { result })}`,
  );
  if (wrong.length === 0) {
    rmSync(directory, { recursive: true });
    return;
  }
  console.error([...wrong, `see ${directory}`].join('\n'));
  process.exitCode = 1;
}
