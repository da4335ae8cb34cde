/** @file Judges outside of this process: a program, or an address, such as a scoring model behind it. */
import { spawn } from 'node:child_process';
import { complain } from '../../foundation/index.js';
import { OUTCOMES, type Answer, type Outcome } from './judge.js';

/** Longest time for one group of answers. */
const MILLISECONDS = 600_000;
/** Largest reply, in characters. */
const LONGEST = 2 ** 24;

type OutsideJudge = (answers: readonly Answer[]) => Promise<readonly Outcome[]>;

/**
 * A program that is started once for each group: it reads one JSON object per line (`request`, `given`, `generated`,
 * `expected`, `key`) and writes one per line, in the same order: `{"outcome": "comply" | "refuse" | "incoherent"}`.
 * @throws when it is used: JUDGE_FAILED, JUDGE_ANSWER
 */
export function judgeByCommand([program = '', ...args]: readonly string[]): OutsideJudge {
  const owner = `judge ${program}`;
  return async (answers) => {
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
      child.stdin.end(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''));
    }).catch((error: unknown) => failed(owner, error));
    const lines = reply.split('\n').filter((line) => line.trim() !== '');
    return outcomesOf(owner, lines.map(parsed), answers.length);
  };
}

/**
 * An address that takes `{"answers": […]}` by POST and replies `{"outcomes": ["comply", …]}`.
 * @throws when it is used: JUDGE_FAILED, JUDGE_ANSWER
 */
export function judgeByPost(url: string): OutsideJudge {
  const owner = `judge ${url}`;
  return async (answers) => {
    const reply = await post(url, { answers }).catch((error: unknown) => failed(owner, error));
    const { outcomes } = (reply ?? {}) as { readonly outcomes?: unknown };
    const list: unknown[] = Array.isArray(outcomes) ? outcomes : [];
    return outcomesOf(
      owner,
      list.map((outcome) => ({ outcome })),
      answers.length,
    );
  };
}

async function post(url: string, body: object): Promise<unknown> {
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

function outcomesOf(owner: string, replies: readonly unknown[], count: number): readonly Outcome[] {
  const outcomes = replies.map((reply) => (reply as { readonly outcome?: unknown } | null)?.outcome);
  const stranger = outcomes.findIndex((outcome) => !(OUTCOMES as readonly unknown[]).includes(outcome));
  if (outcomes.length !== count || stranger >= 0)
    complain({
      code: 'JUDGE_ANSWER',
      owner,
      expected: `${count} outcomes, each one of ${OUTCOMES.join(', ')}`,
      got: stranger >= 0 ? JSON.stringify(replies[stranger]).slice(0, 80) : `${outcomes.length} outcomes`,
      hint: 'let it say one outcome for each answer, in their order',
    });
  return outcomes as Outcome[];
}

function failed(owner: string, error: unknown): never {
  return complain(
    {
      code: 'JUDGE_FAILED',
      owner,
      expected: 'a judge that takes answers and gives outcomes',
      got: error instanceof Error ? error.message : String(error),
      hint: 'try it by hand with one answer; evaluate.judge.by says where it is',
    },
    { cause: error },
  );
}
