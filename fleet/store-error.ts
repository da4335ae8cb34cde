/** @file Troubles of a store in words. */
import { complain, LatstreamError } from '../foundation/index.js';

/** @throws FLEET_STORE */
function storeError(shown: string, error: unknown): never {
  if (error instanceof LatstreamError) throw error;
  const { name, message } = error as Error;
  return complain(
    {
      code: 'FLEET_STORE',
      owner: `store ${shown}`,
      expected: 'a store that can be read and written',
      got: message || name || String(error),
      hint: 'look at the address, its permissions and its free space; runs keep what they have here and try again',
    },
    { cause: error },
  );
}

/** Work on a store whose troubles are told in its name. */
export function telling(shown: string): <T>(work: () => Promise<T>) => Promise<T> {
  return async (work) => work().catch((error: unknown) => storeError(shown, error));
}
