/**
 * @file `latstream/testing`: the laws of operators, and what they are tried with. Needs fast-check, an optional peer of the
 * package; knows no test framework. Laws are plain checks; arbitraries make cases for them; properties put both together.
 */
export {
  attackProperties,
  type AttackProperty,
  type AttackPropertyOptions,
  type AttackSetting,
  type LawName,
} from './attack-properties.js';
export { attackConfigs, attackLosses, radii } from './arbitraries/attacks.js';
export {
  decided,
  masks,
  ONE_SHAPE,
  packed,
  packedBatches,
  packing,
  pairExamples,
  spare,
  type Pair,
  type Spared,
} from './arbitraries/batches.js';
export { tinyModels } from './arbitraries/models.js';
export * as attackLaws from './laws/attack-laws.js';
export * as defenceLaws from './laws/defence-laws.js';
export type { MakeAttack } from './laws/ball-laws.js';
export type { Ball } from './laws/ball-measures.js';
export { difference, type Bench, type Figures } from './laws/law-measures.js';
export {
  FAMILIES,
  randomTensor,
  tinyAdapters,
  tinyConfig,
  tinyModel,
  tinyParameters,
  uploaded,
  type Family,
  type TinyModel,
} from './tiny-model.js';
