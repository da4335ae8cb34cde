/** @file A terminal that is drawn anew in place, on a screen of its own: what was there before comes back. */
import { styleText } from 'node:util';
import type { Line, Size, Style } from './line.js';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';

/** Pictures that come faster than this are passed over, but for the last. */
const INTERVAL_MILLISECONDS = 100;

const STYLES: Readonly<Record<Style, Parameters<typeof styleText>[0] | undefined>> = {
  plain: undefined,
  title: 'bold',
  heading: 'underline',
  chosen: 'inverse',
  trouble: 'red',
  faint: 'dim',
};

export class Screen {
  #timer: NodeJS.Timeout | undefined;
  readonly #again = (): void => this.#draw();

  /** @param picture asked for whenever something is drawn */
  constructor(
    private readonly terminal: NodeJS.WriteStream,
    private readonly picture: (size: Size) => readonly Line[],
  ) {
    terminal.write(ENTER);
    terminal.on('resize', this.#again);
    this.#draw();
  }

  /** Soon. */
  refresh(): void {
    this.#timer ??= setTimeout(this.#again, INTERVAL_MILLISECONDS);
  }

  /** The last picture stays, below what was there before. */
  close(): void {
    clearTimeout(this.#timer);
    this.terminal.off('resize', this.#again);
    this.terminal.write(`${LEAVE}${this.#lines().join('\n')}\n`);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.terminal.writableLength > 0) {
      this.refresh(); // it is slow: one picture at a time
      return;
    }
    const lines = this.#lines().map((text) => text + REST_OF_LINE);
    this.terminal.write(`${HOME}${lines.join('\r\n')}${REST_OF_SCREEN}`);
  }

  #lines(): string[] {
    const { columns, rows } = this.terminal;
    return this.picture({ columns: columns || 80, rows: rows || 24 }).map(({ text, style }) => {
      const format = STYLES[style];
      return format === undefined ? text : styleText(format, text);
    });
  }
}
