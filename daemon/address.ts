/** @file Where a daemon answers, and its tokens: a file in its state directory that only its user can read. */
import { join } from 'node:path';
import { z } from 'zod';
import { readText, writeAtomically } from '../formats/index.js';

const address = z.object({
  url: z.string(),
  /** Controls. */
  token: z.string(),
  /** Only looks; the next daemon has the same. Not there where an older version wrote the file. */
  viewToken: z.string().exactOptional(),
  pid: z.number(),
});
export type Address = z.infer<typeof address>;

/** The file's name in the state directory. */
export const ADDRESS = 'daemon.json';

/** What the last daemon left, or the present one says; undefined where there is nothing that can be read. */
export async function readAddress(state: string): Promise<Address | undefined> {
  try {
    return address.parse(JSON.parse(await readText(join(state, ADDRESS), 2 ** 16)));
  } catch {
    return undefined;
  }
}

export function writeAddress(state: string, content: Address): Promise<void> {
  return writeAtomically(join(state, ADDRESS), [`${JSON.stringify(content)}\n`], 0o600);
}
