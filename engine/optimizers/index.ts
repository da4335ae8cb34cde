export {
  adamwInit,
  adamwScalars,
  adamwUpdate,
  type AdamWConfig,
  type AdamWScalars,
  type Moments,
} from './adamw.js';
export { projectToBall, tokenNorms } from './ball.js';
export { clipByGlobalNorm, globalNorm } from './clip.js';
export { scheduleFactor, type ScheduleConfig } from './schedule.js';
