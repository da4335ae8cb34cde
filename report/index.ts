/**
 * @file Reports on runs: what was measured, taken together and shown as one HTML file or as Markdown.
 *
 *     const experiments = experimentsOf(runs);      // runs of one recipe with different seeds belong together
 *     htmlOf(reportOf(experiments));
 *
 * Text in, text out: knows nothing about files.
 */
export { besides } from './beside.js';
export { sheet } from './sheet.js';
export type { FigureBlock, Report, TableBlock } from './document.js';
export { figuresOf, figureText, type Figure } from './figures.js';
export { htmlOf } from './html.js';
export { markdownOf, type MarkdownReport } from './markdown.js';
export { experimentsOf, type Experiment, type Measure, type Share } from './pool.js';
export { reportOf } from './report.js';
export type { Compute, ModelRecord, RunRecord } from './run-record.js';
export { amount, percent, points, share } from './words.js';
