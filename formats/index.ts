export { syncFolder, writeAtomically } from './atomic.js';
export { openBytes, openFileBytes, type ByteSource } from './bytes.js';
export {
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
  type FloatType,
  type Safetensors,
  type StoredTensor,
} from './safetensors.js';
