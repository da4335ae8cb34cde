/** @file The one error type that users meet: who complains, what it expected, what it got, what to do. No imports. */

/** The parts of a message; `code` is stable and safe to match on. */
export interface Complaint {
  /** Stable identifier in capitals, e.g. `SAFETENSORS_TRUNCATED`. */
  readonly code: string;
  /** The part of latstream (and the file or key) that complains, e.g. `safetensors model.safetensors`. */
  readonly owner: string;
  readonly expected: string;
  readonly got: string;
  /** What the user can do next. */
  readonly hint: string;
}

/** An error a user can act on: `owner: expected …, got …; hint`. */
export class LatstreamError extends Error {
  override readonly name = 'LatstreamError';
  readonly code: string;

  constructor(
    readonly complaint: Complaint,
    options?: ErrorOptions,
  ) {
    super(
      `${complaint.owner}: expected ${complaint.expected}, got ${complaint.got}; ${complaint.hint}`,
      options,
    );
    this.code = complaint.code;
  }
}

/** Throws a {@link LatstreamError}; an expression, so that it can stand where a value is missing. */
export function complain(complaint: Complaint, options?: ErrorOptions): never {
  throw new LatstreamError(complaint, options);
}
