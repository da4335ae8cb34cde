/** @file Items and the credit they travel with. Inside streams/ only: users see values. No imports. */

/**
 * A value on its way down a chain, with the credit its source gave it. Whoever drops the value, or is the last to
 * need it, returns the credit by {@link release}; the source then produces the next one.
 */
export class Carried<T> {
  constructor(
    readonly value: T,
    readonly release: () => void,
  ) {}

  /** Another value on the same credit. */
  with<B>(value: B): Carried<B> {
    return new Carried(value, this.release);
  }

  /** The same value on another credit. */
  withCredit(release: () => void): Carried<T> {
    return new Carried(this.value, release);
  }
}

/** A credit that counts once however often it is returned. */
export function credit(giveBack: () => void): () => void {
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    giveBack();
  };
}

/** One credit split in `parts`: it is returned when every part is. */
export function split(release: () => void, parts: number): (() => void)[] {
  let left = parts;
  return Array.from({ length: parts }, () =>
    credit(() => {
      left -= 1;
      if (left === 0) release();
    }),
  );
}
