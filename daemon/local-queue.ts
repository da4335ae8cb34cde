/** @file The queue of one daemon alone: its state in a file, its runs in directories of this machine. */
import { join } from 'node:path';
import { answersIn, metricsAfter, type MetricsPage } from '../monitor/index.js';
import type { DaemonConfig } from './config.js';
import { evaluatedNames, evaluationsIn } from './evaluations.js';
import type { Postman } from './postman.js';
import type { AnswersView, Change, EvaluationsView, LogView, RunView } from './protocol.js';
import type { Queue, Submitted } from './queue.js';
import type { Store, StoredEvent } from './store.js';
import type { StoredRun } from './stored-run.js';
import type { Supervisor } from './supervisor.js';
import type { Tail } from './tail.js';
import type { RunCommand } from './transitions.js';
import { viewOf } from './view.js';

/* The disk answers at once; methods are asynchronous because those of other queues are. */
export class LocalQueue implements Queue {
  constructor(
    private readonly supervisor: Supervisor,
    private readonly store: Store,
    private readonly tail: Tail,
    private readonly postman?: Postman,
  ) {}

  get ready(): boolean {
    return this.supervisor.ready;
  }

  get deaths(): number {
    return this.supervisor.deaths;
  }

  async start(): Promise<void> {
    this.supervisor.start();
    this.postman?.start();
  }

  configure(config: DaemonConfig): void {
    this.supervisor.configure(config);
    this.postman?.configure(config.webhooks);
  }

  async all(): Promise<readonly RunView[]> {
    return this.supervisor.all().map((run) => this.#view(run));
  }

  async submit({ name, recipe, priority, ...known }: Submitted): Promise<RunView> {
    return this.#view(this.supervisor.submit(name, recipe, priority, known));
  }

  async command(id: string, command: RunCommand): Promise<RunView> {
    return this.#view(this.supervisor.command(id, command));
  }

  async change(id: string, change: Change): Promise<RunView> {
    return this.#view(this.supervisor.change(id, change));
  }

  async recipe(id: string): Promise<unknown> {
    return this.store.recipe(id);
  }

  async metrics(id: string, after: string, points: number): Promise<MetricsPage> {
    return metricsAfter(join(this.store.find(id).directory, 'metrics.ndjson'), after, points);
  }

  async answers(id: string, index: number): Promise<AnswersView> {
    return answersIn(this.store.find(id).directory, index);
  }

  async evaluations(id: string): Promise<EvaluationsView> {
    const names = evaluatedNames(this.store.recipe(id));
    return evaluationsIn(this.store.find(id).directory, names);
  }

  async log(id: string): Promise<LogView> {
    return { events: this.store.events(id).map(eventOf), lines: [...this.tail.of(id)] };
  }

  leave(): Promise<void> {
    return this.supervisor.close();
  }

  killAll(): void {
    this.supervisor.killAll();
  }

  async close(): Promise<void> {
    await this.postman?.close();
    this.store.close();
  }

  #view(run: StoredRun): RunView {
    return viewOf(run, this.supervisor.live(run.id));
  }
}

function eventOf({ time, ...rest }: StoredEvent): LogView['events'][number] {
  return { time: new Date(time).toISOString(), ...rest };
}
