/** @file The queue of one daemon alone: its state in a file, its runs in directories of this machine. */
import { join } from 'node:path';
import { answersIn, metricsAfter, type MetricsPage } from '../monitor/index.js';
import type { DaemonConfig } from './config.js';
import { evaluatedNames, evaluationsIn } from './evaluations.js';
import type { Identity } from './identity.js';
import type { Postman } from './postman.js';
import type {
  AnswersView,
  Change,
  EvaluationsView,
  FilesView,
  LogView,
  RunView,
  WorkerView,
} from './protocol.js';
import type { Queue, Submitted } from './queue.js';
import { fileIn, filesIn, type FileContent } from './run-files.js';
import type { Store, StoredEvent } from './store.js';
import type { StoredRun } from './stored-run.js';
import type { Supervisor } from './supervisor.js';
import type { Tail } from './tail.js';
import type { RunCommand } from './transitions.js';
import { viewOf } from './view.js';

export interface LocalQueueParts {
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly tail: Tail;
  readonly identity: Identity;
  readonly postman?: Postman;
}

/* The disk answers at once; methods are asynchronous because those of other queues are. */
export class LocalQueue implements Queue {
  constructor(private readonly parts: LocalQueueParts) {}

  get ready(): boolean {
    return this.parts.supervisor.ready;
  }

  get deaths(): number {
    return this.parts.supervisor.deaths;
  }

  async start(): Promise<void> {
    this.parts.supervisor.start();
    this.parts.postman?.start();
  }

  configure(config: DaemonConfig): void {
    this.parts.supervisor.configure(config);
    this.parts.postman?.configure(config.webhooks);
  }

  async all(): Promise<readonly RunView[]> {
    return this.parts.supervisor.all().map((run) => this.#view(run));
  }

  async submit({ name, recipe, priority, ...known }: Submitted): Promise<RunView> {
    return this.#view(this.parts.supervisor.submit(name, recipe, priority, known));
  }

  async command(id: string, command: RunCommand): Promise<RunView> {
    return this.#view(this.parts.supervisor.command(id, command));
  }

  async change(id: string, change: Change): Promise<RunView> {
    return this.#view(this.parts.supervisor.change(id, change));
  }

  async recipe(id: string): Promise<unknown> {
    return this.parts.store.recipe(id);
  }

  async metrics(id: string, after: string, points: number): Promise<MetricsPage> {
    return metricsAfter(join(this.parts.store.find(id).directory, 'metrics.ndjson'), after, points);
  }

  async answers(id: string, index: number): Promise<AnswersView> {
    return answersIn(this.parts.store.find(id).directory, index);
  }

  async evaluations(id: string): Promise<EvaluationsView> {
    const names = evaluatedNames(this.parts.store.recipe(id));
    return evaluationsIn(this.parts.store.find(id).directory, names);
  }

  async log(id: string): Promise<LogView> {
    return { events: this.parts.store.events(id).map(eventOf), lines: [...this.parts.tail.of(id)] };
  }

  async files(id: string): Promise<FilesView> {
    return filesIn(this.parts.store.find(id).directory);
  }

  async file(id: string, name: string): Promise<FileContent> {
    return fileIn(this.parts.store.find(id).directory, name);
  }

  async workers(): Promise<readonly WorkerView[]> {
    const { identity, supervisor, store } = this.parts;
    const runs = store.withProcess().map(({ id }) => id);
    const heard = new Date().toISOString();
    return [{ ...identity, heard, parallel: supervisor.parallel, runs, here: true }];
  }

  leave(): Promise<void> {
    return this.parts.supervisor.close();
  }

  killAll(): void {
    this.parts.supervisor.killAll();
  }

  async close(): Promise<void> {
    await this.parts.postman?.close();
    this.parts.store.close();
  }

  #view(run: StoredRun): RunView {
    return viewOf(run, this.parts.supervisor.live(run.id));
  }
}

function eventOf({ time, ...rest }: StoredEvent): LogView['events'][number] {
  return { time: new Date(time).toISOString(), ...rest };
}
