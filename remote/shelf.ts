/** @file What is kept of all remote files together: a bounded number of bytes, the last used ones. */

interface Place {
  readonly bytes: number;
  readonly drop: () => void;
}

/** The least recently used first. */
const places = new Map<object, Place>();
let held = 0;

/** Keeps something at the fresh end; `drop` is called when it has to go. */
export function keepOnShelf(thing: object, bytes: number, drop: () => void): void {
  takeFromShelf(thing);
  places.set(thing, { bytes, drop });
  held += bytes;
}

/** Forgets something; its `drop` is not called. */
export function takeFromShelf(thing: object): void {
  held -= places.get(thing)?.bytes ?? 0;
  places.delete(thing);
}

/** Drops what was not used for longest, until at most so many bytes are kept. */
export function trimShelf(most: number): void {
  for (const [thing, { drop }] of places) {
    if (held <= most) return;
    takeFromShelf(thing);
    drop();
  }
}
