/** @file What workers log about runs, where all daemons of the queue find it: the newest lines of each. */
import type { Log, LogView } from '../daemon/index.js';
import { KEYS } from './keys.js';
import type { Connection } from './redis.js';

type Line = LogView['lines'][number];

const MOST_LINES = 200;
const LONGEST_LINE = 1000;

export class RunLines {
  constructor(
    private readonly redis: Connection,
    private readonly host: string,
    private readonly passOn: Log,
  ) {}

  readonly log: Log = (level, message, fields = {}) => {
    this.passOn(level, message, fields);
    const { run, reason } = fields;
    if (typeof run !== 'string') return;
    const text = typeof reason === 'string' ? `${message}: ${reason}` : message;
    const line: Line = {
      time: new Date().toISOString(),
      level,
      message: `${this.host}: ${text}`.slice(0, LONGEST_LINE),
    };
    const key = KEYS.lines(run);
    // A line that is not heard is on the worker's own standard error.
    void this.redis
      .multi()
      .rpush(key, JSON.stringify(line))
      .ltrim(key, -MOST_LINES, -1)
      .exec()
      .catch(() => undefined);
  };

  /** Oldest first. */
  async of(id: string): Promise<readonly Line[]> {
    return (await this.redis.lrange(KEYS.lines(id), 0, -1)).map((text) => JSON.parse(text) as Line);
  }
}
