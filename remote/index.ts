export { openBytes } from './open.js';
export { dataFiles } from './data-files.js';
export { isAddress, isDataReference, isModelReference } from './reference.js';
export { remoteSettings, type Remote } from './settings.js';
export { fetchSnapshot, type Snapshot, type Watcher } from './snapshot.js';
