/** @file A name of a process that no later process has, though it may get its number: `PID BOOT START` on Linux, `PID` elsewhere. */
import { readFileSync } from 'node:fs';

/** Of this very process. */
export function ownName(): string {
  const found = lookedUp(process.pid);
  return found ? `${process.pid} ${found.boot} ${found.start}` : String(process.pid);
}

/** The number in a name; 0 where there is none. */
export function pidOf(name: string): number {
  return Math.trunc(Number(name.split(' ', 1)[0])) || 0;
}

/** Whether the process of a name is there. Where the system or the name tells no more, its number decides. */
export function isAlive(name: string): boolean {
  const pid = pidOf(name);
  if (pid <= 0) return false; // 0 would be this process's whole group
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false; // else alive, and somebody else's
  }
  const found = lookedUp(pid);
  if (!found) return true;
  // Killed, but its parent has not asked how it ended, as happens in containers.
  if (found.state === 'Z') return false;
  const [, boot, start] = name.trim().split(' ');
  return boot === undefined || (boot === found.boot && start === found.start);
}

interface Found {
  readonly boot: string;
  /** Ticks from boot to its start. */
  readonly start: string;
  readonly state: string;
}

/** Linux only. */
function lookedUp(pid: number): Found | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the program's name, which may hold anything: fields 3 and 22 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { boot, start: fields[19] ?? '', state: fields[0] ?? '' };
  } catch {
    return undefined;
  }
}
