/** @file Runs the built command line as a child, as a user would; a run that was begun is gone on with. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Evaluation } from '../operators/index.js';
import type { Overlay } from './experiment.js';

/** What is read of `summary.json`. */
export interface Finished {
  readonly base: Evaluation;
  readonly arms: readonly { readonly name: string; readonly evaluation: Evaluation }[];
}

/**
 * Trains an overlay of a recipe into `out`, or goes on with it; done already, it is only read.
 * @param root of the package, built.
 */
export async function trained(root: string, overlay: Overlay, out: string): Promise<Finished> {
  const summary = join(out, 'summary.json');
  if (!existsSync(summary)) {
    const recipe = `${out}.json`;
    await mkdir(dirname(out), { recursive: true });
    await writeFile(recipe, JSON.stringify(overlay, null, 2));
    const begun = existsSync(join(out, 'recipe.json'));
    await cli(root, ['train', ...(begun ? ['--resume', out] : [recipe, '--out', out]), '--port', '0']);
  }
  return JSON.parse(await readFile(summary, 'utf8')) as Finished;
}

function cli(root: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0
        ? resolve()
        : reject(new Error(`latstream ${args.join(' ')} ended with ${signal ?? code ?? '?'}`)),
    );
  });
}
