/** @file What a process costs by now, as Linux tells it. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFigures {
  /** In user and kernel mode, since it began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly threads: number;
  /** Open files, sockets, pipes. */
  readonly descriptors: number;
}

const TICKS_PER_SECOND = 100;
const KIBIBYTE = 1024;

/** Undefined where there is no such process (any more). */
export function figuresOf(pid: number): ProcessFigures | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Its second field, a name in parentheses, may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user = NaN, system = NaN] = [fields[11], fields[12]].map(Number);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    return {
      cpuSeconds: (user + system) / TICKS_PER_SECOND,
      residentBytes: KIBIBYTE * of('VmRSS'),
      threads: of('Threads'),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    };
  } catch {
    return undefined;
  }
}
