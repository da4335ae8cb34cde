/** @file What a run has said in words, the newest of it, for viewers. Memory is bounded. */

export interface Note {
  /** UTC. */
  readonly time: string;
  readonly level: 'info';
  readonly message: string;
}

const MOST = 200;
/** Characters of a note. */
const LONGEST = 2000;

export class Notes {
  /** Oldest first. */
  readonly lines: Note[] = [];

  add(message: string): void {
    const time = new Date().toISOString();
    this.lines.push({ time, level: 'info', message: message.slice(0, LONGEST) });
    if (this.lines.length > MOST) this.lines.shift();
  }
}
