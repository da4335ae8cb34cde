/**
 * @file Who is watching: the live page, the metrics WebSocket, and the same metrics on disk.
 *
 *     const record = await openRecord('runs/1/metrics.ndjson', untilStep('jailbreak/lat', 40));   // resume
 *     const monitor = await startMonitor({ port: 8080, description: { name: 'jailbreak' },
 *       history: metricsIn('runs/1/metrics.ndjson'), onCommand: (command) => worker.postMessage({ command }) });
 *     worker.on('message', (metric) => { record.append(metric); monitor.publish(metric); });
 *     monitor.setState('done'); await monitor.close(); await record.close();
 *
 * Depends on nothing but `streams` and `foundation`: never on a tensor runtime.
 */
export { accessCheck, bracketed, isLoopback } from './access.js';
export { answersIn, answersView, type AnswersView } from './answers.js';
export { PAGE_POLICY, pageFiles, viewerAssets, type Asset } from './assets.js';
export {
  CLOSE,
  COMMANDS,
  PROTOCOL_VERSION,
  serverMessage,
  viewerMessage,
  type Command,
  type Hello,
  type Kinds,
  type RunDescription,
  type RunState,
  type ServerMessage,
  type ViewerMessage,
} from './protocol.js';
export { eventFile } from './event-file.js';
export { History } from './history.js';
export { listen } from './listen.js';
export { metricsAfter, type MetricsPage } from './metrics-after.js';
export { metricsIn, openRecord, untilStep, type MetricRecord } from './record.js';
export { csvLines, writeRecordTable } from './record-table.js';
export { startMonitor, type Monitor, type MonitorOptions } from './server.js';
export { BACKLOG, type Backlog } from './subscriber.js';
