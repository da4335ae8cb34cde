/** @file Where threads find their code. Knows nothing about what they do. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { complain } from '../foundation/index.js';

/**
 * The built file of a thread: beside this file, or in `dist/` where this file runs from its sources (under a test runner).
 * @param name such as `sources/parquet.worker.js`
 * @throws DATASET_NOT_BUILT
 */
export function builtFile(name: string): string {
  const candidates = [`./${name}`, `../dist/datasets/${name}`].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return (
    candidates.find((file) => existsSync(file)) ??
    complain({
      code: 'DATASET_NOT_BUILT',
      owner: 'datasets',
      expected: `the built thread ${name}`,
      got: 'none',
      hint: 'run npm run build',
    })
  );
}
