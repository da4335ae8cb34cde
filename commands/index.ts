/** @file All commands as one program. */
import { Command, CommanderError } from 'commander';
import { errorReport, EXIT, exitCodeOf } from './exit.js';
import { commandRuns } from './readers.js';

export { packageRoot } from './run/places.js';
export { EXIT, exitCodeOf } from './exit.js';
export { outliveReaders } from './readers.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    a defect of latstream
  2    command line or recipe
  3    model, tokenizer, dataset or checkpoint
  4    training diverged; the last good checkpoint is kept
  5    the machine: port in use, directory not writable
  130  stopped by a signal, everything saved`;

type Add = (root: Command) => void;

/** Who adds which commands, in the order of `--help`: most commands need no engine, and nobody waits for what is not asked for. */
const COMMANDS: readonly (readonly [names: string, load: () => Promise<Add>])[] = [
  ['train', async () => (await import('./train.js')).addTrain],
  ['daemon', async () => (await import('./daemon.js')).addDaemon],
  [
    'submit runs workers pause resume stop cancel priority change',
    async () => (await import('./queue.js')).addQueue,
  ],
  ['collect', async () => (await import('./collect.js')).addCollect],
  ['watch', async () => (await import('./watch.js')).addWatch],
  ['sweep', async () => (await import('./sweep/sweep.js')).addSweep],
  ['evaluate', async () => (await import('./evaluate.js')).addEvaluate],
  ['relearn', async () => (await import('./relearn.js')).addRelearn],
  ['report', async () => (await import('./report.js')).addReport],
  ['metrics', async () => (await import('./metrics.js')).addMetrics],
  ['generate', async () => (await import('./generate.js')).addGenerate],
  ['forward', async () => (await import('./forward.js')).addForward],
  ['attack', async () => (await import('./attack.js')).addAttack],
  ['calibrate', async () => (await import('./calibrate.js')).addCalibrate],
  ['trigger', async () => (await import('./trigger.js')).addTrigger],
  ['export', async () => (await import('./export.js')).addExport],
  ['download', async () => (await import('./download.js')).addDownload],
  ['doctor', async () => (await import('./doctor.js')).addDoctor],
  ['tfjs-node', async () => (await import('./tfjs-node.js')).addTfjsNode],
  ['data', async () => (await import('./data.js')).addData],
];

/**
 * The program with its commands.
 * @param options.only the command that is asked for: what is not needed for it is not loaded; any other name loads all.
 */
export async function program(
  version: string,
  { json = false, only }: { readonly json?: boolean; readonly only?: string | undefined } = {},
): Promise<Command> {
  const root = new Command('latstream')
    .description('targeted latent adversarial training of language models')
    .version(version)
    .showHelpAfterError('(see --help)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  // With --json, complaints of the parser are JSON too: runCli writes them.
  if (json) root.configureOutput({ writeErr: () => undefined });
  const asked = COMMANDS.filter(([names]) => names.split(' ').includes(only ?? ''));
  for (const [, load] of asked.length > 0 ? asked : COMMANDS) (await load())(root);
  return root;
}

/**
 * Runs one command line.
 * @param argv as `process.argv`.
 * @returns the exit code; complaints are on stderr by then, as JSON with `--json`.
 */
export async function runCli(argv: readonly string[], version: string): Promise<number> {
  const json = argv.includes('--json');
  try {
    const root = await program(version, { json, only: argv[2] });
    root.hook('preAction', (_, action) => commandRuns(action.name()));
    await root.parseAsync(argv);
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      const { message } = error;
      if (json)
        process.stderr.write(`${JSON.stringify({ error: { code: 'USAGE', message, exit: EXIT.usage } })}\n`);
      return EXIT.usage;
    }
    process.stderr.write(errorReport(error, json));
    return exitCodeOf(error);
  }
}
