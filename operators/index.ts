export { attackLoss } from './attack-iteration.js';
export { createAttack, type Attack, type AttackKey } from './attack.js';
export type {
  AttackConfig,
  AttackLosses,
  DefendConfig,
  DefendLosses,
  TrainConfig,
} from './config.js';
export { away, AWAY_FLOOR, kl, logOdds, toward } from './losses.js';
export type { Model, ModelWeights } from './model.js';
export { realisedNorms, type AttackTrace, type Perturbation, type PerSite } from './perturbation.js';
