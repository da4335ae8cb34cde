/** @file What reading a dataset file must give: as many rows as it says. */
import { join } from 'node:path';
import { openSource } from '../../../datasets/index.js';
import { Broken } from '../target.js';

/** Opens a file and reads its groups, a few thousand rows of them at most. */
export async function readSource(folder: string, file: string): Promise<void> {
  const source = await openSource(join(folder, file));
  try {
    let budget = 5000;
    for (const [group, { rows }] of source.groups.entries()) {
      const read = await source.read(group, source.columns);
      if (read.length !== rows) throw new Broken(`${read.length} rows instead of ${rows}`);
      if ((budget -= rows) < 0) break;
    }
  } finally {
    await source.close();
  }
}
