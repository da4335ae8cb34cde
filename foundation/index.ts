export { Bucket } from './bucket.js';
export { symmetricEigen, type Eigen } from './eigen.js';
export { complain, LatstreamError, type Complaint } from './error.js';
export { parseJson } from './json.js';
export { draws, permutation, type Draws } from './random.js';
export { pooledBootstrap, type PooledOptions } from './pooled.js';
export { pairedBootstrap, pairedDifference, wilson, type Interval } from './statistics.js';
export { editDistance, nearMatches } from './near.js';
export { Counter, type Histogram } from './histogram.js';
