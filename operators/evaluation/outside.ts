/** @file Programs and addresses outside of this process that are told things and reply. Knows nothing about what is said. */
import { spawn } from 'node:child_process';
import { complain } from '../../foundation/index.js';
import type { Outside } from './config.js';

/** Longest time for one reply. */
const MILLISECONDS = 600_000;
/** Largest reply, in characters. */
const LONGEST = 2 ** 24;

/** What is said to whom, and what is said of one who does not do its work. */
export interface Exchange<Reply> {
  /** `judge` */
  readonly who: string;
  /** The value of a recipe that says where it is. */
  readonly setting: string;
  /** Codes of errors begin with it. */
  readonly code: string;
  /** Names of what it is told: one, and many. */
  readonly items: readonly [string, string];
  /** Names of what it replies: one, and many. */
  readonly replies: readonly [string, string];
  readonly accepted: (reply: unknown) => reply is Reply;
  /** What every reply should be. */
  readonly expected: string;
}

/**
 * One reply for each item, in their order. A program, started once, reads one JSON object per line and writes
 * `{"REPLY": …}` per line; an address takes `{"ITEMS": […]}` by POST and replies `{"REPLIES": […]}`.
 * @throws CODE_FAILED where it cannot be reached or fails, CODE_ANSWER where it replies something else.
 */
export async function askOutside<Reply>(
  by: Outside,
  items: readonly object[],
  exchange: Exchange<Reply>,
): Promise<readonly Reply[]> {
  const { who, setting, code, items: named, replies } = exchange;
  const owner = `${who} ${'command' in by ? (by.command[0] ?? '') : by.url}`;
  const given = await repliesOf(by, items, exchange).catch((error: unknown) =>
    complain(
      {
        code: `${code}_FAILED`,
        owner,
        expected: `a ${who} that takes ${named[1]} and gives ${replies[1]}`,
        got: error instanceof Error ? error.message : String(error),
        hint: `try it by hand with one ${named[0]}; ${setting} says where it is`,
      },
      { cause: error },
    ),
  );
  const stranger = given.findIndex((reply) => !exchange.accepted(reply));
  if (given.length !== items.length || stranger >= 0)
    complain({
      code: `${code}_ANSWER`,
      owner,
      expected: `${items.length} ${replies[1]}, ${exchange.expected}`,
      got:
        stranger >= 0
          ? JSON.stringify(given[stranger] ?? null).slice(0, 80)
          : `${given.length} ${replies[1]}`,
      hint: `let it give one ${replies[0]} for each ${named[0]}, in their order`,
    });
  return given as readonly Reply[];
}

async function repliesOf(
  by: Outside,
  items: readonly object[],
  { items: [, named], replies: [one, many] }: Exchange<unknown>,
): Promise<readonly unknown[]> {
  const field = (reply: unknown, name: string): unknown => (reply as Record<string, unknown> | null)?.[name];
  if ('command' in by) return (await askProgram(by.command, items)).map((reply) => field(reply, one));
  const replies = field(await askAddress(by.url, { [named]: items }), many);
  return Array.isArray(replies) ? (replies as unknown[]) : [];
}

/**
 * Starts a program, writes one JSON object per line, and reads one per line; a line that is no JSON is given as text.
 * @throws Error where it cannot be started, fails, takes too long or says too much.
 */
async function askProgram(
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
async function askAddress(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(MILLISECONDS),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
