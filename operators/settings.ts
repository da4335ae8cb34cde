/** @file What may be changed while a run trains. Every change belongs to a step, so that who resumes changes the same there. */

/** Instead of what the recipe says. */
export interface Settings {
  /** Steps between evaluations; 0 for none. */
  readonly evaluateEvery?: number;
  /** Of the defence, before its schedule. */
  readonly learningRate?: number;
  /** The attack's radius. */
  readonly epsilon?: number;
}

export interface LiveSettings {
  /**
   * To be called before every step. What was asked for since the last one holds from this step on, and is on disk when
   * this resolves: a step that is done again is done alike.
   */
  begin(step: number): Promise<{ readonly settings: Settings; readonly changed: boolean }>;
}

/** Nothing ever changes. */
export const AS_GIVEN: LiveSettings = { begin: () => Promise.resolve({ settings: {}, changed: false }) };
