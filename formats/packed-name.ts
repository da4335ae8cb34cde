/** @file What names of compressed files say. Reads nothing: what a file is, its first bytes tell. */

/** Endings of files that are unpacked when they are read, without the dot. */
export const PACKED_ENDINGS = ['gz', 'gzip', 'zst', 'zstd'] as const;

const ENDING = new RegExp(`\\.(${PACKED_ENDINGS.join('|')})$`, 'i');

/** The name that a file has once it is unpacked; other names stay as they are. */
export function unpackedName(name: string): string {
  return name.replace(ENDING, '');
}

/** The names without compressed copies of others among them, whose rows would come twice. */
export function withoutCopies(names: readonly string[]): string[] {
  const all = new Set(names);
  return names.filter((name) => unpackedName(name) === name || !all.has(unpackedName(name)));
}
