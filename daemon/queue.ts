/** @file What a daemon serves: runs that wait, go on and are over, wherever they train. Types only. */
import type { MetricsPage } from '../monitor/index.js';
import type { DaemonConfig } from './config.js';
import type {
  AnswersView,
  Change,
  EvaluationsView,
  FilesView,
  LogView,
  RunView,
  WorkerView,
} from './protocol.js';
import type { FileContent } from './run-files.js';
import type { NewRun } from './store.js';
import type { RunCommand } from './transitions.js';

/** What people submit. */
export type Submitted = Omit<NewRun, 'id' | 'directory'>;

/**
 * A queue of runs and the processes that this daemon has of it. What people ask for rejects with DAEMON_RUN_UNKNOWN,
 * DAEMON_RUN_STATE, DAEMON_LEAVING, and DAEMON_STATE_WRITE where it could not be kept: then nothing has changed.
 */
export interface Queue {
  /** Whether runs are taken. */
  readonly ready: boolean;
  /** Deaths of processes since this daemon started. */
  readonly deaths: number;
  /** Goes on with what was begun, and with what waits. */
  start(): Promise<void>;
  configure(config: DaemonConfig): void;
  /** By submission. */
  all(): Promise<readonly RunView[]>;
  /** Kept when it resolves. Submitted with the same key before, it is the run of then; DAEMON_RUN_KEY where that one is another. */
  submit(run: Submitted): Promise<RunView>;
  command(id: string, command: RunCommand): Promise<RunView>;
  change(id: string, change: Change): Promise<RunView>;
  /** What it was told, as it was submitted. */
  recipe(id: string): Promise<unknown>;
  /** What it measured, as `metricsAfter` of the monitor has it. */
  metrics(id: string, after: string, points: number): Promise<MetricsPage>;
  /** What its evaluated arms answered to one question. */
  answers(id: string, index: number): Promise<AnswersView>;
  /** What has been evaluated of it so far. */
  evaluations(id: string): Promise<EvaluationsView>;
  log(id: string): Promise<LogView>;
  /** What of its directory can be had here. */
  files(id: string): Promise<FilesView>;
  /** DAEMON_FILE_UNKNOWN where it has none of that name. */
  file(id: string, name: string): Promise<FileContent>;
  /** The daemons that the queue hears of, by when they started. */
  workers(): Promise<readonly WorkerView[]>;
  /** Every run of this daemon saves, within the grace. Questions are answered until {@link close}. */
  leave(): Promise<void>;
  /** Ends the wait of {@link leave}: what has not saved goes on from its last checkpoint. */
  killAll(): void;
  /** Behind it nothing is open. */
  close(): Promise<void>;
}
