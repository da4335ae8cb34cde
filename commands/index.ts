/** @file All commands as one program. */
import { Command, CommanderError } from 'commander';
import { addAttack } from './attack.js';
import { addCalibrate } from './calibrate.js';
import { addDaemon } from './daemon.js';
import { addData } from './data.js';
import { addDoctor } from './doctor.js';
import { addDownload } from './download.js';
import { addEvaluate } from './evaluate.js';
import { errorReport, EXIT, exitCodeOf } from './exit.js';
import { addExport } from './export.js';
import { addForward } from './forward.js';
import { addGenerate } from './generate.js';
import { addMetrics } from './metrics.js';
import { addQueue } from './queue.js';
import { commandRuns } from './readers.js';
import { addRelearn } from './relearn.js';
import { addReport } from './report.js';
import { addTfjsNode } from './tfjs-node.js';
import { addSweep } from './sweep.js';
import { addTrain } from './train.js';
import { addTrigger } from './trigger.js';
import { addWatch } from './watch.js';

export { packageRoot } from './places.js';
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

/** The program with its commands. */
export function program(version: string, json = false): Command {
  const root = new Command('latstream')
    .description('targeted latent adversarial training of language models')
    .version(version)
    .showHelpAfterError('(see --help)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  // With --json, complaints of the parser are JSON too: runCli writes them.
  if (json) root.configureOutput({ writeErr: () => undefined });
  for (const add of [
    addTrain,
    addDaemon,
    addQueue,
    addWatch,
    addSweep,
    addEvaluate,
    addRelearn,
    addReport,
    addMetrics,
    addGenerate,
    addForward,
    addAttack,
    addCalibrate,
    addTrigger,
    addExport,
    addDownload,
    addDoctor,
    addTfjsNode,
    addData,
  ])
    add(root);
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
    const root = program(version, json).hook('preAction', (_, action) => commandRuns(action.name()));
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
