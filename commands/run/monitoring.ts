/** @file The monitor of a run. In the process that serves people; never calls a runtime. */
import { LatstreamError } from '../../foundation/index.js';
import { answersIn, startMonitor, type Monitor, type MonitorOptions } from '../../monitor/index.js';
import { describeRecipe, type Recipe } from '../../recipes/index.js';
import type { Metric } from '../../streams/index.js';
import type { ControlMessage } from './messages.js';
import { recorded } from './record.js';

export interface Monitoring {
  readonly url: string;
  /** True once the run has a metric, now or from before. */
  readonly begun: boolean;
  publish(metric: Metric): void;
  note: Monitor['note'];
  state: Monitor['setState'];
  /** Viewers may pause, resume and stop. */
  onControl(act: (type: ControlMessage['type']) => void): void;
  close(): Promise<void>;
}

/** Where the live page is looked for first, if no port is asked for. */
const USUAL_PORT = 7077;

/**
 * Starts the server with what is on record: a late viewer gets the history.
 * @throws MONITOR_PORT_IN_USE where a port was asked for and is taken
 */
export async function openMonitor(
  recipe: Recipe,
  out: string,
  options: { readonly port?: number; readonly host: string; readonly watchOnly?: true },
): Promise<Monitoring> {
  let begun = false;
  const history = async function* (): AsyncGenerator<Metric> {
    for await (const metric of recorded(recipe, out)) {
      begun = true;
      yield metric;
    }
  };
  let act: (type: ControlMessage['type']) => void = () => undefined;
  const wanted: MonitorOptions = {
    port: options.port ?? USUAL_PORT,
    host: options.host,
    description: describeRecipe(recipe),
    history: history(),
    answers: (index) => answersIn(out, index),
    ...(!options.watchOnly && { onCommand: (command) => act(command) }),
  };
  const monitor = await listening(wanted, options.port === undefined);
  return {
    url: monitor.url,
    get begun() {
      return begun;
    },
    publish: (metric) => {
      begun = true;
      monitor.publish(metric);
    },
    note: (text) => monitor.note(text),
    state: (state, detail) => monitor.setState(state, detail),
    onControl: (handler) => (act = handler),
    close: () => monitor.close(),
  };
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
