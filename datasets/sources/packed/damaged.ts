/** @file The error of compressed bytes that are not whole. No imports. */

/** What is wrong with them, as a noun. */
export class Damaged extends Error {
  override readonly name = 'Damaged';
}
