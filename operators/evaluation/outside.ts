/** @file Programs and addresses outside of this process that are told things and reply. Knows nothing about what is said. */
import { spawn } from 'node:child_process';
import { complain, type Complaint } from '../../foundation/index.js';

/** Longest time for one reply. */
const MILLISECONDS = 600_000;
/** Largest reply, in characters. */
const LONGEST = 2 ** 24;

/**
 * Starts a program, writes one JSON object per line, and reads one per line; a line that is no JSON is given as text.
 * @throws Error where it cannot be started, fails, takes too long or says too much.
 */
export async function askProgram(
  [program = '', ...args]: readonly string[],
  items: readonly object[],
): Promise<unknown[]> {
  const reply = await new Promise<string>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], timeout: MILLISECONDS });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.length > LONGEST) child.kill();
    });
    child.on('error', reject);
    child.stdin.on('error', () => undefined); // It may end before it has read all: its exit status says so.
    child.on('close', (code, signal) =>
      code === 0 ? resolve(text) : reject(new Error(`it ended with ${signal ?? `status ${code ?? '?'}`}`)),
    );
    child.stdin.end(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  });
  return reply
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parsed);
}

/** The JSON that an address replies to JSON by POST. @throws Error where it does not. */
export async function askAddress(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(MILLISECONDS),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

/** Says that one of them did not reply. @throws that, with the error as its cause */
export function unanswered(complaint: Omit<Complaint, 'got'>, error: unknown): never {
  const got = error instanceof Error ? error.message : String(error);
  return complain({ ...complaint, got }, { cause: error });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
