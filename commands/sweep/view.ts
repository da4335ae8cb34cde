/** @file A sweep while it fills: one table that is drawn anew at a terminal, a line for each change elsewhere. On stderr. */
import { clearScreenDown, moveCursor } from 'node:readline';
import { cellTable, cellText, whyOf, type Order, type Standing } from '../../sweeps/index.js';
import { tableOf } from '../run/summary.js';

type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'rows' | 'columns' | 'write'>;

/** Lines around the rows: the head, its rule, the counts, and the cursor's own. */
const AROUND = 4;
const SMALLEST = 3;

export class SweepView {
  /** Of the table, as it stands on the screen. */
  #drawn = 0;
  #text = '';
  readonly #said = new Map<string, string>();

  /** @param model whose figures are shown. @param quiet says nothing */
  constructor(
    private readonly model: string,
    private readonly quiet: boolean,
    private readonly order?: Order,
    private readonly screen: Screen = process.stderr,
  ) {}

  note(text: string): void {
    if (this.quiet) return;
    this.#erase();
    this.screen.write(`${text}\n`);
  }

  see(standings: readonly Standing[]): void {
    if (this.quiet) return;
    if (this.screen.isTTY) this.#draw(standings);
    else this.#say(standings);
  }

  /** Takes the table away: what is printed next takes its place. */
  close(): void {
    this.#erase();
  }

  #say(standings: readonly Standing[]): void {
    for (const standing of standings) {
      const { state = 'missing' } = standing.run ?? {};
      if (this.#said.get(standing.digest) === state) continue;
      this.#said.set(standing.digest, state);
      const why = whyOf(standing);
      this.screen.write(`${cellText(standing.cell)}: ${state}${why === '' ? '' : ` (${why})`}\n`);
    }
  }

  #draw(standings: readonly Standing[]): void {
    const [rows, columns] = [this.screen.rows || 24, this.screen.columns || 80]; // 0 where nobody knows
    const shown = mostTelling(standings, Math.max(SMALLEST, rows - AROUND));
    const table = tableOf(cellTable(shown, this.model, this.order)).split('\n');
    const text = [...table, countsOf(standings)].map((line) => line.slice(0, columns - 1)).join('\n');
    if (text === this.#text && this.#drawn > 0) return;
    this.#erase();
    this.screen.write(`${text}\n`);
    this.#text = text;
    this.#drawn = text.split('\n').length;
  }

  #erase(): void {
    if (this.#drawn === 0) return;
    const screen = this.screen as NodeJS.WriteStream;
    moveCursor(screen, 0, -this.#drawn);
    clearScreenDown(screen);
    this.#drawn = 0;
  }
}

/** As many as fit: those that run, then those that ended last, then the next; in the order of the grid. */
function mostTelling(standings: readonly Standing[], most: number): readonly Standing[] {
  if (standings.length <= most) return standings;
  const rank = ({ run }: Standing): number => {
    if (run?.live) return -Infinity;
    if (run?.ended) return -Date.parse(run.ended);
    return 0;
  };
  const chosen = new Set(standings.toSorted((a, b) => rank(a) - rank(b) || 0).slice(0, most));
  return standings.filter((standing) => chosen.has(standing));
}

/** `40 cells: 12 done, 2 running, 26 queued` */
function countsOf(standings: readonly Standing[]): string {
  const counts = new Map<string, number>();
  for (const { run } of standings) {
    const state = run?.state ?? 'missing';
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const told = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  return `${standings.length} cells: ${told}`;
}
