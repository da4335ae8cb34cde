export {
  adamwInit,
  adamwScalars,
  adamwUpdate,
  type AdamWConfig,
  type AdamWScalars,
  type Moments,
} from './adamw.js';
export { groupNorms, projectGroups, projectToBall, tokenNorms, type Grouping } from './ball.js';
export { bucketsFor, type Buckets } from './buckets.js';
export { clipByGlobalNorm, globalNorm } from './clip.js';
export { scheduleFactor, type ScheduleConfig } from './schedule.js';
