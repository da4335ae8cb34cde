/**
 * @file How values flow: demand-driven chains over async iterables. The only folder that imports `most`.
 *
 * A run is a chain that is drained:
 *
 *     const control = new Control();                           // control.pause(), .resume(), .stop()
 *     const steps = pull(batches, { control })                 // one batch in flight; next() only on demand
 *       .through(serial(attack), serial(defend))               // one-in-flight async maps, order kept
 *       .through(serial(evaluate), serial(checkpoint), tap(report));
 *     await drain(steps);                                      // until the source ends or control.stop()
 *
 * - `pull(source, {credits, control})`: each item takes a credit, the end of the chain gives it back; so does an
 *   operator that drops the item (`filter`, `everyNth`, `latest`). Users see values only.
 * - `drain(flow)` resolves at the end, rejects with the first error; by then nothing of the chain is open: the
 *   iterator's `return()` has been called and the running step has settled.
 * - `control.stop()` ends the flow after the item in flight; `drain(flow, {signal})` gives up at once.
 * - `share()` lets several observers watch one run:
 *
 *     const shared = steps.through(share());
 *     await drainAll([shared.through(serial(save)), shared.through(latest(100), serial(draw))]);
 *
 * - `map`, `tap`, `filter`, `everyNth`, `take`; `rollingMean`, `rate`, `latest`; `collect` for tests.
 * - `Gauge`: how many items a part has done, and how long it took; `pull(source, {gauge})` counts the waiting for the source.
 * - `MetricJournal` numbers the metrics of a job: `const record = journal.recorder('jailbreak/lat')`, then
 *   `record(step, 'defend', { loss, gradientNorm })`.
 */
export { Control, type ControlState } from './control.js';
export { collect, drain, drainAll, type DrainOptions } from './drain.js';
export type { Flow, Operator } from './flow.js';
export { Gauge } from './gauge.js';
export {
  metricFrom,
  MetricJournal,
  type Metric,
  type MetricJournalOptions,
  type Recorder,
} from './metric.js';
export { pull, type PullOptions } from './pull.js';
export { serial } from './serial.js';
export { share } from './share.js';
export { everyNth, filter, map, take, tap } from './sift.js';
export { latest, rate, rollingMean } from './window.js';
