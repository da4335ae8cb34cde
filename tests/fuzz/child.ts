/** @file The process that bears the cases: says which one it begins, and how it ended. Started by `campaign.ts`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatstreamError } from '../../foundation/index.js';
import { caseOf } from './cases.js';
import type { Files, Target } from './target.js';
import { TARGETS } from './targets/index.js';

/** What the process is told. */
export interface Order {
  readonly target: string;
  readonly seed: number;
  /** The cases from here on, up to `to`. */
  readonly from: number;
  readonly to: number;
  /** How far the process may grow beyond what it was at its beginning. */
  readonly megabytes: number;
  /** Where the files of a case stay. */
  readonly keep?: string;
}

/** What the process says. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'begin'; readonly index: number }
  | { readonly kind: 'end'; readonly index: number; readonly outcome: string }
  | { readonly kind: 'failure'; readonly index: number; readonly what: string }
  | { readonly kind: 'done' };

const say = (report: Report): unknown => process.send?.(report);
let index = -1;

for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    say({ kind: 'failure', index, what: `${event}: ${described(error)}` });
    process.exit(1);
  });
process.once('message', (order: Order) => void obey(order));
say({ kind: 'ready' });

async function obey(order: Order): Promise<void> {
  const target = TARGETS.find(({ name }) => name === order.target) as Target;
  const scratch = mkdtempSync(join(tmpdir(), 'latstream-fuzz-'));
  const folder = order.keep ?? scratch;
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const seeds = await target.seeds(scratch);
  for (const files of seeds) {
    await place(folder, files);
    await target.run(folder, files); // A seed that its reader refuses would test nothing.
  }
  const allowed = peak() + order.megabytes;
  for (index = order.from; index < order.to; index++) {
    say({ kind: 'begin', index });
    const files = caseOf(target, seeds, order.seed, index);
    await place(folder, files);
    const outcome = await outcomeOf(target, folder, files);
    if (outcome.startsWith('!')) say({ kind: 'failure', index, what: outcome.slice(1) });
    else say({ kind: 'end', index, outcome });
    if (peak() <= allowed) continue;
    say({
      kind: 'failure',
      index,
      what: `${peak() - allowed + order.megabytes} MB more than at the beginning`,
    });
    break;
  }
  say({ kind: 'done' });
  process.disconnect();
  process.exit(0);
}

async function place(folder: string, files: Files): Promise<void> {
  for (const name of await readdir(folder))
    if (!(name in files)) await rm(join(folder, name), { recursive: true, force: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}

async function outcomeOf(target: Target, folder: string, files: Files): Promise<string> {
  try {
    await target.run(folder, files);
    return 'polluted' in {} ? '!Object.prototype was changed' : 'value';
  } catch (error) {
    return error instanceof LatstreamError ? error.code : `!${described(error)}`;
  }
}

function described(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, 600).split('\n').slice(0, 5).join(' | ');
}

/** The largest resident memory so far, and buffers that were asked for and not touched, in MB. */
function peak(): number {
  const { arrayBuffers } = process.memoryUsage();
  return Math.round(Math.max(process.resourceUsage().maxRSS / 1024, arrayBuffers / 2 ** 20));
}
