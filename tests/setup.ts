/** @file One seed for every property of a test run, printed so that a failure replays: `FC_SEED=… npm test`. */
import fc from 'fast-check';

const seed = Number(process.env['FC_SEED'] ?? Date.now() & 0x7fffffff);
fc.configureGlobal({ seed, verbose: fc.VerbosityLevel.Verbose });
if (process.env['VITEST_POOL_ID'] === '1')
  process.stdout.write(`fast-check seed ${seed} (replay with FC_SEED=${seed})\n`);
