/** @file The benchmark's command line. Results inform, never gate. */
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { LatstreamError } from '../foundation/index.js';
import { addComparisons } from './comparisons.js';
import { addMeasurements } from './measurements.js';

// This file runs as dist/bench/main.js.
const root = fileURLToPath(new URL('../..', import.meta.url));
const program = new Command('bench').description(
  'Times targeted latent adversarial training, and its parts.',
);
addComparisons(program, root);
addMeasurements(program, root);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof LatstreamError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 2;
}
