/** @file What the daemon says while it works: a line for people, or a JSON object for machines. Knows no stream. */

export type Level = 'info' | 'warn' | 'error';

/** Says what happened, in few words, with fields. */
export type Log = (level: Level, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** @param write gets whole lines. @param now milliseconds since the epoch */
export function createLog(write: (line: string) => void, json: boolean, now: () => number = Date.now): Log {
  return (level, message, fields = {}) => {
    const time = new Date(now()).toISOString();
    if (json) {
      write(`${JSON.stringify({ time, level, message, ...fields })}\n`);
      return;
    }
    const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${textOf(value)}`);
    write(`${time} ${level === 'info' ? '' : `${level}: `}${message}${rest.join('')}\n`);
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value);
}
