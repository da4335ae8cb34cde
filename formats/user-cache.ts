/** @file The folder that all runs of this user share. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** As the XDG base directory specification has it. */
export function userCache(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'latstream');
}
