/** @file Commands in documents, as a shell would run them: loops, braces and variables are its business. Nothing is run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why commands cannot be read here; undefined where they can. */
export const noBash: string | undefined =
  spawnSync('bash', ['-c', 'true']).status === 0 ? undefined : 'no bash';
if (noBash !== undefined) process.stdout.write(`commands in documents skipped: ${noBash}\n`);

/** Every program is a stranger to this shell, whose words it says instead of running it. */
const STUBS = `
PATH=/nowhere
command_not_found_handle() { printf '%s\\0' "$@" >&3; printf '\\1' >&3; }
`;

/** The words of each command, variables before it left out. @param heading whose section alone is read. */
export function documented(path: string, heading?: string): readonly (readonly string[])[] {
  const text = readFileSync(path, 'utf8');
  const section = heading === undefined ? text : sectionOf(text, heading);
  const blocks = [...section.matchAll(/^\`\`\`sh\n(.*?)^\`\`\`$/gms)].map(([, block]) => block as string);
  const folder = mkdtempSync(join(tmpdir(), 'latstream-documented-'));
  try {
    return blocks.flatMap((block) => wordsOf(block, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sectionOf(text: string, heading: string): string {
  const [, after] = text.split(`\n${heading}\n`);
  if (after === undefined) throw new Error(`no heading ${heading}`);
  return after.split(/^#+ /m)[0] as string;
}

function wordsOf(text: string, cwd: string): string[][] {
  // One after the other, so that none speaks into another's words.
  const block = text.replace(/(?<!&)&(?=\s)(?!&)/g, ';');
  const shell = spawnSync('bash', ['--noprofile', '--norc', '-c', `${STUBS}${block}\nwait`], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  if (shell.stderr !== '') throw new Error(`${shell.stderr} in\n${block}`);
  const said = (shell.output[3] ?? '').split('\u0001').slice(0, -1);
  return said.map((command) => command.split('\0').slice(0, -1));
}
