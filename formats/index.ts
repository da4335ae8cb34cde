export { syncFolder, writeAtomically } from './atomic.js';
export { evaluationSchema } from './evaluation.js';
export { openFileBytes, type ByteSource } from './bytes.js';
export { openGguf, type Gguf } from './gguf/open.js';
export { fromBits, HALF_TYPES, toBits, type HalfType } from './half.js';
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
} from './safetensors.js';
export type { StoredHalf, StoredTensor } from './stored-tensor.js';
export { writeShards, type ShardOptions } from './safetensors-shards.js';
export { userCache } from './user-cache.js';
