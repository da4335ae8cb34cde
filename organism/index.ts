export { SIZES, tables, type Sizes, type Table } from './tables.js';
export { buildTokenizer, type TokenizerFiles } from './tokenizer.js';
