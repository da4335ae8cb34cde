/**
 * @file Runs watched from a terminal: seen through a live page, a daemon or a directory, and drawn or told in lines.
 *
 *     const source = new LivePage(new URL('http://127.0.0.1:7077/'), 60);
 *     const ending = await present(source, { json: false, input: process.stdin, output: process.stdout });
 */
export { DaemonRuns } from './daemon-runs.js';
export type { Ending, Source } from './event.js';
export { LivePage } from './live-page.js';
export { present, type Presentation } from './present.js';
export { RunRecord } from './run-record.js';
