/** @file What can be said of datasets without loading the libraries that read them. */
export { FORMATS } from '../sources/format.js';
export { SHAPES } from '../shapes.js';
