export { complain, LatstreamError, type Complaint } from './error.js';
export { draws, permutation, type Draws } from './random.js';
