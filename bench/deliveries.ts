/** @file How many metrics a second reach viewers over WebSocket: the monitor and all viewers share one thread here. */
import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { startMonitor, type Monitor, type ServerMessage } from '../monitor/index.js';
import { MetricJournal } from '../streams/index.js';
import { table } from './report.js';
import { seconds } from './timing.js';

const VIEWERS = [1, 10, 50];

export interface Deliveries {
  readonly viewers: number;
  /** Metrics published, and deliveries: a viewer that cannot follow gets only the newest of a series. */
  readonly published: number;
  readonly delivered: number;
  readonly deliveries_per_second: number;
}

export async function timeDeliveries(metrics: number): Promise<Deliveries[]> {
  const results: Deliveries[] = [];
  for (const viewers of VIEWERS) results.push(await deliver(viewers, metrics));
  return results;
}

interface Viewer {
  readonly socket: WebSocket;
  readonly live: Promise<unknown>;
  readonly last: Promise<unknown>;
  received: number;
}

async function deliver(viewers: number, metrics: number): Promise<Deliveries> {
  const monitor = await startMonitor({ port: 0, description: { name: 'bench' } });
  const watching = Array.from({ length: viewers }, () => view(monitor, metrics - 1));
  try {
    await Promise.all(watching.map(({ live }) => live));
    const record = new MetricJournal((metric) => monitor.publish(metric)).recorder('bench/lat');
    const took = await seconds(async () => {
      for (let step = 0; step < metrics; step++) {
        record(step, 'defend', { loss: 1 / (step + 1), gradientNorm: 0.5, toward: 0.25, away: 0.125 });
        // As in a run, where metrics come one by one: sockets get their turn.
        await turn();
      }
      await Promise.all(watching.map(({ last }) => last));
    });
    const delivered = watching.reduce((sum, { received }) => sum + received, 0);
    return { viewers, published: metrics, delivered, deliveries_per_second: Math.round(delivered / took) };
  } finally {
    for (const { socket } of watching) socket.terminate();
    await monitor.close();
  }
}

/** @param final the sequence number of the last metric. */
function view(monitor: Monitor, final: number): Viewer {
  const socket = new WebSocket(`${monitor.url.replace('http', 'ws')}metrics`);
  const heard = new EventEmitter();
  const viewer: Viewer = { socket, live: once(heard, 'live'), last: once(heard, 'last'), received: 0 };
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ServerMessage;
    if (message.type === 'live') heard.emit('live');
    if (message.type !== 'metric') return;
    viewer.received++;
    if (message.sequence === final) heard.emit('last');
  });
  return viewer;
}

export function describeDeliveries(results: readonly Deliveries[]): string {
  const rows = results.map(({ viewers, published, delivered, deliveries_per_second: rate }) => [
    viewers,
    published,
    delivered,
    rate,
  ]);
  return table([['viewers', 'published', 'delivered', 'deliveries/s'], ...rows]);
}
