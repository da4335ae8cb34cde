/** @file What operators leave behind, for those who only read it: nothing here loads the engine. */
export { checkpointStore } from '../checkpoint.js';
export { OUTCOMES } from '../evaluation/judge.js';
export { evaluationValues } from '../evaluation/values.js';
export { NO_PASSES } from '../passes.js';
