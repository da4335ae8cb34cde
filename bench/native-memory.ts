/** @file Starts this command again in an environment like a run's, where it was not started in one. */
import { spawnSync } from 'node:child_process';
import { hasNativeMemory } from '../engine/executors/native-memory.js';
import { NATIVE_MEMORY } from '../engine/index.js';

/** Returns where the environment is right, or plays no part; otherwise the process ends as its second self does. */
export function asARun(): void {
  if (process.platform !== 'linux' || hasNativeMemory()) return;
  const { status } = spawnSync(process.execPath, process.argv.slice(1), {
    stdio: 'inherit',
    env: { ...process.env, ...NATIVE_MEMORY },
  });
  process.exit(status ?? 1);
}
