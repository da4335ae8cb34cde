/** @file Letters on disk that wait to be delivered. Within the transactions of the store; knows no network. */
import type { State } from './database.js';

export interface Letter {
  readonly id: string;
  readonly url: string;
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

export interface WaitingLetter extends Letter {
  /** That failed. */
  readonly attempts: number;
}

/** Letters that wait at most: of more, the oldest go. */
export const MOST_LETTERS = 10_000;

/** Every method throws what the database throws where the disk refuses. */
export class Outbox {
  constructor(
    private readonly database: State,
    private readonly most = MOST_LETTERS,
  ) {}

  add({ id, url, body, created }: Letter): void {
    this.database
      .prepare('INSERT INTO outbox (id, url, body, created, due) VALUES (?, ?, ?, ?, ?)')
      .run(id, url, body, created, created);
    this.database
      .prepare('DELETE FROM outbox WHERE sequence <= (SELECT MAX(sequence) FROM outbox) - ?')
      .run(this.most);
  }

  /** Notes that something was told. @returns false where it was before */
  once(what: string): boolean {
    return this.database.prepare('INSERT OR IGNORE INTO told (what) VALUES (?)').run(what).changes > 0;
  }

  /** The oldest for an address that may be tried now. */
  due(url: string, now: number): WaitingLetter | undefined {
    return this.database
      .prepare(
        'SELECT id, url, body, created, attempts FROM outbox WHERE url = ? AND due <= ? ORDER BY sequence LIMIT 1',
      )
      .get(url, now) as WaitingLetter | undefined;
  }

  /** When the next for an address may be tried that may not be tried now. */
  next(url: string, now: number): number | undefined {
    const row = this.database
      .prepare('SELECT MIN(due) AS due FROM outbox WHERE url = ? AND due > ?')
      .get(url, now);
    return (row as { due: number | null }).due ?? undefined;
  }

  remove(id: string): void {
    this.database.prepare('DELETE FROM outbox WHERE id = ?').run(id);
  }

  retry(id: string, due: number): void {
    this.database.prepare('UPDATE outbox SET attempts = attempts + 1, due = ? WHERE id = ?').run(due, id);
  }

  /** Addresses that letters wait for. */
  urls(): string[] {
    const rows = this.database.prepare('SELECT DISTINCT url FROM outbox').all() as { url: string }[];
    return rows.map(({ url }) => url);
  }

  /** @returns how many waited for that address */
  forget(url: string): number {
    return this.database.prepare('DELETE FROM outbox WHERE url = ?').run(url).changes;
  }
}
