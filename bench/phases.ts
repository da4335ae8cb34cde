/** @file Names the phases of a step from those of its programs. No imports. */

/** `attack:1a2b3c once` → `attack once`: what is computed once for a loop is a phase of its own. */
export function phaseOf(program: string): string {
  return program.replace(/:[0-9a-f]{12}(?= |$)/, '');
}
