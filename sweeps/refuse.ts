/** @file How a grid that cannot be read is refused. Depends on errors. */
import { complain } from '../foundation/index.js';

/** @param grid as the user wrote it */
export function refuseGrid(grid: string, expected: string, got: string, hint: string): never {
  const clip = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);
  return complain({
    code: 'SWEEP_GRID',
    owner: `--grid ${clip(grid)}`,
    expected,
    got: clip(got),
    hint,
  });
}
