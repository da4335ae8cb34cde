/** @file Where a daemon answers, and its tokens: a file in its state directory that only its user can read. */
import { join } from 'node:path';
import { z } from 'zod';
import { readText, writeAtomically } from '../formats/index.js';
import { complain } from '../foundation/index.js';

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

/** What the last daemon left, or the present one says; undefined where there is nothing, or nothing of use. @throws DAEMON_STATE_DENIED */
export async function readAddress(state: string): Promise<Address | undefined> {
  const path = join(state, ADDRESS);
  try {
    return address.parse(JSON.parse(await readText(path, 2 ** 16)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') denied(path, code);
    return undefined;
  }
}

function denied(path: string, got: string): never {
  return complain({
    code: 'DAEMON_STATE_DENIED',
    owner: `daemon of ${path}`,
    expected: 'its address and token, which only its user may read',
    got,
    hint: 'ask as that user (sudo -u …), or name the daemon by --daemon URL and its token by --token-file',
  });
}

export function writeAddress(state: string, content: Address): Promise<void> {
  return writeAtomically(join(state, ADDRESS), [`${JSON.stringify(content)}\n`], 0o600);
}
