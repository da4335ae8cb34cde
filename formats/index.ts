export { syncFolder, writeAtomically } from './atomic.js';
export { evaluationSchema } from './evaluation.js';
export { openFileBytes, type ByteSource } from './bytes.js';
export { openGguf, type Gguf } from './gguf/open.js';
export { fromBfloat16, fromHalf, toBfloat16, toHalf } from './half.js';
export { lockFile, lockHolder, type Release } from './lock.js';
export { openFile, readText } from './file.js';
export type { ModelFile, ModelFolder } from './model-folder.js';
export { openModelFolder } from './open-model.js';
export { PACKED_ENDINGS, unpackedName, withoutCopies } from './packed-name.js';
export {
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
  type FloatType,
  type Safetensors,
  type StoredTensor,
} from './safetensors.js';
export { writeShards, type ShardOptions } from './safetensors-shards.js';
export { userCache } from './user-cache.js';
