export {
  ARCHITECTURES,
  modelConfigJson,
  modelConfigText,
  modelKey,
  parseModelConfig,
  type WeightType,
} from './config.js';
export type { LayerAttention, ModelConfig, Norm } from './model-config.js';
export { blockPath, embeddingName, headName, type Linear, type Modules } from './modules.js';
export { headWeight, hiddenStates, logitsAt, type TokenBatch, type Visit } from './decoder.js';
export type { Weights } from './weights.js';
export {
  adaptedModules,
  adapterScale,
  adapterShapes,
  initialAdapters,
  mergeAdapters,
  worthMerging,
  parseProjection,
  projectionNames,
  type LoraConfig,
} from './lora.js';
export { initialParameters, parameterShapes } from './parameters.js';
export type { Rope, RopeScaling } from './rope-config.js';
export {
  atSlots,
  BLOCK_SITES,
  parseSite,
  perturbing,
  place,
  residualOf,
  siteNames,
  siteWidth,
  type BlockSite,
  type Site,
} from './sites.js';
export { checkTensors, loadModel, loadModelConfig, saveModel, type Model, type SaveOptions } from './load.js';
export { checkPrompts, generate, type Ending, type Generated } from './generate.js';
export type { GenerationModel, GenerationPerturbation, GenerationRequest } from './generation-request.js';
export { greedyToken, type Sampling } from './sampling.js';
export { readAdapters, writeAdapters, type Adapters } from './peft.js';
export { mergedParameters } from './merged-parameters.js';
export { withoutDirection } from './without-direction.js';
