export { openBytes } from './open.js';
