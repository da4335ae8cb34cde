/** @file `latstream tfjs-node`: native kernels for `--executor tfjs` out of a TensorFlow that is on this machine. */
import type { Command } from 'commander';
import { buildTfjsNode } from '../engine/index.js';
import { progressBar } from './progress.js';

interface TfjsNodeOptions {
  readonly tensorflow: string;
  readonly package?: string;
  readonly nodedir?: string;
  readonly json?: boolean;
}

export function addTfjsNode(program: Command): void {
  program
    .command('tfjs-node')
    .description(
      'build @tensorflow/tfjs-node against a TensorFlow on this machine: nothing is downloaded (Linux)',
    )
    .requiredOption(
      '--tensorflow <dir>',
      'an unpacked wheel (tensorflow-cpu), or C distribution, or its environment',
    )
    .option('--package <dir>', "the package's folder (default: LATSTREAM_TFJS_NODE, or beside latstream)")
    .option('--nodedir <dir>', 'a Node of this major version with headers (default: the one that runs)')
    .option('--json', 'print {"folder", "library", "step"}')
    .action(async (options: TfjsNodeOptions) => {
      const bar = progressBar('building', 1);
      const { folder, library, step } = await buildTfjsNode({
        tensorflow: options.tensorflow,
        folder: options.package,
        nodedir: options.nodedir,
      }).finally(() => bar.stop());
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ folder, library, step })}\n`
          : `${folder} is built on ${library}, which must stay there\n` +
              `${step.milliseconds.toFixed(1)} ms a small step, within ${step.error.toExponential(0)} of plain JavaScript\n` +
              `--executor tfjs uses it where it is installed beside latstream, or LATSTREAM_TFJS_NODE=${folder}\n`,
      );
    });
}
