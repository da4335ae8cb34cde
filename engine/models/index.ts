export {
  ARCHITECTURES,
  modelConfigJson,
  modelKey,
  parseModelConfig,
  type Architecture,
  type ModelConfig,
} from './config.js';
export { hiddenStates, logitsAt, type Attend, type TokenBatch, type Visit, type Weights } from './decoder.js';
export {
  adapterNames,
  adapterScale,
  adapterShapes,
  initialAdapters,
  mergeAdapters,
  parseProjection,
  type LoraConfig,
} from './lora.js';
export {
  initialParameters,
  parameterShapes,
  PROJECTIONS,
  projectionShape,
  type Projection,
} from './parameters.js';
export type { Rope, RopeScaling } from './rope-config.js';
export {
  BLOCK_SITES,
  parseSite,
  perturbing,
  place,
  siteNames,
  siteWidth,
  type BlockSite,
  type Site,
} from './sites.js';
export { checkTensors, loadModel, loadModelConfig, saveModel, type Model } from './load.js';
export {
  generate,
  type Generated,
  type GenerationModel,
  type GenerationPerturbation,
  type GenerationRequest,
} from './generate.js';
export type { Sampling } from './sampling.js';
export { readAdapters, writeAdapters, type Adapters } from './peft.js';
