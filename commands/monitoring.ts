/** @file The monitor of a run, and its record on disk. On the thread that serves people; never calls a runtime. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LatstreamError } from '../foundation/index.js';
import {
  metricsIn,
  openRecord,
  startMonitor,
  untilStep,
  type Monitor,
  type MonitorOptions,
} from '../monitor/index.js';
import { checkpointStore } from '../operators/index.js';
import type { Recipe } from '../recipes/index.js';
import type { Metric } from '../streams/index.js';
import { METRICS } from './directory.js';
import type { ControlMessage } from './messages.js';

export interface Monitoring {
  readonly url: string;
  /** The number that the run's next metric must have; 0 where there is none yet. */
  readonly nextSequence: number;
  publish(metric: Metric): void;
  state: Monitor['setState'];
  /** Viewers may pause, resume and stop. */
  onControl(act: (type: ControlMessage['type']) => void): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Where the live page is looked for first, if no port is asked for. */
const USUAL_PORT = 7077;

/**
 * Opens the record (and reads what is there: a late viewer gets the history) and starts the server.
 * @throws MONITOR_PORT_IN_USE where a port was asked for and is taken
 */
export async function openMonitor(
  recipe: Recipe,
  out: string,
  options: { readonly port?: number; readonly host: string },
): Promise<Monitoring> {
  const path = join(out, METRICS);
  const record = await openRecord(path, await unrepeated(recipe, out));
  let act: (type: ControlMessage['type']) => void = () => undefined;
  const wanted: MonitorOptions = {
    port: options.port ?? USUAL_PORT,
    host: options.host,
    description: {
      name: recipe.name,
      seed: recipe.seed,
      arms: Object.keys(recipe.arms),
      steps: recipe.steps,
      recipe,
    },
    history: metricsIn(path),
    onCommand: (command) => act(command),
  };
  const monitor = await listening(wanted, options.port === undefined).catch(async (error: unknown) => {
    await record.close();
    throw error;
  });
  return {
    url: monitor.url,
    get nextSequence() {
      return record.next;
    },
    publish: (metric) => {
      record.append(metric);
      monitor.publish(metric);
    },
    state: (state, detail) => monitor.setState(state, detail),
    onControl: (handler) => (act = handler),
    flush: () => record.flush(),
    close: async () => {
      await record.close().finally(() => monitor.close());
    },
  };
}

/** Steps after an unfinished arm's newest checkpoint will be done, and measured, again. */
async function unrepeated(recipe: Recipe, out: string): Promise<(metric: Metric) => boolean> {
  const kept: ((metric: Metric) => boolean)[] = [];
  for (const arm of Object.keys(recipe.arms)) {
    if (existsSync(join(out, arm, 'evaluation.json'))) continue;
    const directory = join(out, arm, 'checkpoints');
    const checkpoint = await checkpointStore({ directory, keep: 1, warn: () => undefined }).latest();
    kept.push(untilStep(`${recipe.name}/${arm}`, checkpoint?.step ?? 0));
  }
  return (metric) => kept.every((keep) => keep(metric));
}

async function listening(options: MonitorOptions, anyPortWillDo: boolean): Promise<Monitor> {
  try {
    return await startMonitor(options);
  } catch (error) {
    const taken = error instanceof LatstreamError && error.code === 'MONITOR_PORT_IN_USE';
    if (!taken || !anyPortWillDo) throw error;
    return startMonitor({ ...options, port: 0 });
  }
}
