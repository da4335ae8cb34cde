/** @file Puts plain data over plain data: deep merge, and one value at a dotted path. No imports. */

/** A JSON-like object. */
export type Plain = Readonly<Record<string, unknown>>;

/** True for objects that merge key by key; lists, null and scalars replace. */
export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `base` with `over` on top; what is of another `kind`, and a complete dataset, replaces whole. Neither is changed. */
export function overlay(base: Plain, over: Plain): Plain {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(
      key,
      isPlain(below) && isPlain(value) && sameKind(below, value) && !isDataset(value)
        ? overlay(below, value)
        : value,
    );
  }
  // Defines names like `__proto__`, which an assignment would not.
  return Object.fromEntries(merged);
}

function sameKind(below: Plain, over: Plain): boolean {
  return over['kind'] === undefined || over['kind'] === below['kind'];
}

/** Columns belong to their path: those of another file mean nothing. */
function isDataset({ preset, path, columns }: Plain): boolean {
  return preset !== undefined || (path !== undefined && columns !== undefined);
}

/** `base` with exactly `value` at a path, whatever was there: nothing is merged. Neither is changed. */
export function withValue(base: Plain, path: readonly string[], value: unknown): Plain {
  const [head, ...rest] = path;
  if (head === undefined) return base;
  const below = Object.hasOwn(base, head) ? base[head] : undefined;
  return { ...base, [head]: rest.length === 0 ? value : withValue(isPlain(below) ? below : {}, rest, value) };
}
