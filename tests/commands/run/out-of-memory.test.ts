/** @file Memory that runs out: the run is paused with a reason instead of tried for ever, its last checkpoint stays, and with room it goes on. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunView } from '../../../daemon/index.js';
import { isMemoryError, KernelWatch, saysMemory } from '../../../commands/run/out-of-memory.js';
import { LatstreamError } from '../../../foundation/index.js';
import { loadRecipe } from '../../../recipes/index.js';
import { tornIn } from '../../crash/evidence.js';
import { scratch, stopped } from '../../helpers/cli.js';
import { daemon, hasDone, is, until, type Daemon } from '../../helpers/daemon.js';

const { path } = scratch();

/** A control group whose memory can be bounded, of either version; undefined where none can be made. */
function memoryGroup():
  { bound(bytes: number | 'none'): void; add(pid: number): void; used(): number } | undefined {
  const name = `latstream-test-${process.pid}`;
  for (const [root, limit, usage, none] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.usage_in_bytes', '-1'],
    ['/sys/fs/cgroup', 'memory.max', 'memory.current', 'max'],
  ] as const) {
    const group = join(root, name);
    try {
      mkdirSync(group);
      const write = (file: string, text: string): void => writeFileSync(join(group, file), text);
      write(limit, none);
      afterAll(() => rmdirSync(group));
      return {
        // Less than is used may be refused: then it is tried again.
        bound: (bytes) => attempt(() => write(limit, bytes === 'none' ? none : String(bytes))),
        add: (pid) => write('cgroup.procs', String(pid)),
        used: () => Number(readFileSync(join(group, usage), 'utf8')),
      };
    } catch {
      attempt(() => rmdirSync(group));
    }
  }
  return undefined;
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // the kernel has refused
  }
}

const SETTINGS = [
  'steps=1000000',
  'checkpoint.every=1',
  'arms={"lat":{}}',
  'evaluate.harmful=null',
  'evaluate.benign=null',
];

/** A process gets two megabytes more, and then no more. */
function bound(pid: number): void {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[0]);
  spawnSync('prlimit', ['--pid', String(pid), `--as=${4096 * pages + 2 ** 21}`]);
}

/** An endless run that has done some steps. */
async function endless(state: string): Promise<{ running: Daemon; run: RunView }> {
  await mkdir(state);
  await writeFile(join(state, 'config.yaml'), 'retrySeconds: 0.05\n');
  const running = await daemon(state);
  return {
    running,
    run: await running.client.submit({ recipe: await loadRecipe('tiny', { set: SETTINGS }) }),
  };
}

/** With room again it goes on where it was. */
async function goesOn(running: Daemon, run: RunView): Promise<void> {
  expect(await tornIn(run.directory)).toEqual([]);
  const before = Number(
    /\d+$/.exec(
      spawnSync('ls', [join(run.directory, 'lat/checkpoints')])
        .stdout.toString()
        .trim(),
    )?.[0],
  );
  expect(before).toBeGreaterThan(1);
  await running.client.command(run.id, 'resume');
  await until(running, run, hasDone(before + 1));
  await running.client.command(run.id, 'cancel');
  await until(running, run, is('cancelled')).catch(() => undefined);
  expect((await stopped(running)).code).toBe(0);
}

const group = memoryGroup();
if (!group)
  console.warn('skipped: no control group whose memory can be bounded (needs Linux and privileges)');
const prlimit = spawnSync('prlimit', ['--version']).status === 0;
if (!prlimit) console.warn('skipped: prlimit is not installed');

describe('memory that runs out', () => {
  it.skipIf(!group)('pauses a run that the kernel kills', { timeout: 300_000 }, async () => {
    const running = await daemon(path('kernel'));
    group!.add(running.child.pid!); // and what it starts
    const recipe = await loadRecipe('tiny', { set: SETTINGS });
    const run = await running.client.submit({ recipe });
    await until(running, run, hasDone(3));
    const tighter = setInterval(() => group!.bound(group!.used()), 50);
    const { reason, attempts } = await until(running, run, is('paused')).finally(() =>
      clearInterval(tighter),
    );
    group!.bound('none');
    expect(reason).toMatch(/^memory ran out: make room, then resume\. .*the kernel killed.*\[RUN_MEMORY\]$/);
    expect(attempts).toBe(0);
    await goesOn(running, run);
  });

  it.skipIf(!prlimit)('pauses a run whose runtime gets no more', { timeout: 300_000 }, async () => {
    const { running, run } = await endless(path('refused'));
    // Now and then it is a thread that could not be made first, which may have other causes: that is tried again.
    const bounded = new Set<number>();
    const { reason } = await until(running, run, (now) => {
      const pid = now.live?.pid;
      if (pid && !bounded.has(pid) && (now.live?.progress?.stepsPerSecond ?? 0) > 0) {
        bounded.add(pid);
        bound(pid);
      }
      return now.state === 'paused';
    });
    expect(reason).toMatch(/^memory ran out: make room, then resume\. .*\[RUN_MEMORY\]$/);
    await goesOn(running, run);
  });
});

describe('what runtimes say', () => {
  it.each([
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    '# Fatal process OOM in Failed to reserve virtual memory for CodeRange',
    "Non-zero status code returned while running Cast node. Name:'Cast_233' Status Message: std::bad_alloc",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    'Failed to allocate memory for requested buffer of size 4294967296',
    'Array buffer allocation failed',
    'CUDA failure 2: out of memory',
  ])('is understood: %s', (text) => {
    expect(saysMemory(text)).toBe(true);
    expect(isMemoryError(new Error(text))).toBe(true);
  });

  it('is not taken from other errors, nor from errors of ours that tell of others', () => {
    expect(isMemoryError(new Error('Invalid dimensions: memory layout'))).toBe(false);
    const ours = {
      code: 'JUDGE_FAILED',
      owner: 'judge',
      expected: 'x',
      got: 'CUDA out of memory',
      hint: 'x',
    };
    expect(isMemoryError(new LatstreamError(ours))).toBe(false);
    expect(isMemoryError(Object.assign(new Error('spawn'), { code: 'ENOMEM' }))).toBe(true);
  });

  it('the kernel is believed where it has counted a kill lately', () => {
    let count = 3;
    const watch = new KernelWatch(process.pid, () => count);
    count += 1;
    expect(watch.end()).toBe(true);
    expect(new KernelWatch(process.pid, () => count).end()).toBe(false);
    expect(new KernelWatch(process.pid).end()).toBe(false);
  });
});
