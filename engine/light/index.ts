/** @file What can be said of the engine without loading a runtime: a third of a second that most commands do not need. */
export { EXECUTORS } from '../executors/name.js';
export { NATIVE_MEMORY } from '../executors/native-memory.js';
export { PRECISIONS } from '../precision.js';
