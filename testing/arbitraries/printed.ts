/** @file How fast-check prints a value that is not plain data: as the expression that makes it again. */
import fc from 'fast-check';

/** The same value, shown as `expression` in a counterexample. */
export function printedAs<T extends object>(value: T, expression: string): T {
  return Object.defineProperty(value, fc.toStringMethod, { value: () => expression });
}
