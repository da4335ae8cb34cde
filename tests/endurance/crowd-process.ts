/** @file A process of many viewers of one live page: honest ones, some that stop reading, and hostile ones. */
import { setTimeout as pause } from 'node:timers/promises';
import { ACTS, type Act, type Outcome, type Target } from './hostile.js';
import { socketOf, viewOf, Watcher } from './watcher.js';

export interface CrowdOrder extends Target {
  readonly honest: number;
  /** Half of them stop reading at once, half when they have the history. */
  readonly stalled: number;
  readonly hostile: number;
}

/** What viewers that do the same have seen by now. */
export interface Seen {
  readonly open: number;
  readonly live: number;
  readonly received: number;
  readonly disordered: number;
  /** How many have seen the same last value of every series, by these as text. */
  readonly views: Readonly<Record<string, number>>;
}

/** Of all viewers of a process. What the stalled ones have got is known once they read again. */
export interface CrowdReport {
  readonly honest: Seen;
  readonly stalled: Seen;
  readonly hostile: Readonly<Partial<Record<Act, Readonly<Partial<Record<Outcome, number>>>>>>;
}

/** `calm`: the hostile ones stop, the stalled ones read again. */
export type CrowdMessage = { readonly join: CrowdOrder } | 'report' | 'calm';

const AT_ONCE = 20;
const BETWEEN_ACTS_MILLISECONDS = 1000;

const honest: Watcher[] = [];
const stalled: Watcher[] = [];
const outcomes: Partial<Record<Act, Partial<Record<Outcome, number>>>> = {};
let isCalm = false;

process.on('message', (message: CrowdMessage) => {
  if (message === 'calm') calm();
  else if (message === 'report') process.send?.(report());
  else void join(message.join);
});

async function join(order: CrowdOrder): Promise<void> {
  isCalm = false;
  const url = socketOf(order.page);
  for (let at = 0; at < order.honest + order.stalled; at++) {
    const watcher = new Watcher(url);
    if (at < order.honest) honest.push(watcher);
    else stall(watcher, at % 2 === 0);
    if (at % AT_ONCE === AT_ONCE - 1) await pause(50);
  }
  for (let at = 0; at < order.hostile; at++) void misbehave(order, at);
}

function calm(): void {
  isCalm = true;
  for (const { socket } of stalled) socket.resume();
}

function stall(watcher: Watcher, atOnce: boolean): void {
  stalled.push(watcher);
  const { socket } = watcher;
  const stop = (): void => {
    if (!isCalm && (atOnce || watcher.isLive)) socket.pause();
  };
  socket.once('open', stop).on('message', stop);
}

/** One act after another, beginning with another one than its neighbours. */
async function misbehave(target: Target, first: number): Promise<void> {
  const acts = Object.keys(ACTS) as Act[];
  for (let at = first; !isCalm; at++) {
    const act = acts[at % acts.length] as Act;
    const outcome = await ACTS[act](target);
    const seen = (outcomes[act] ??= {});
    seen[outcome] = (seen[outcome] ?? 0) + 1;
    await pause(BETWEEN_ACTS_MILLISECONDS);
  }
}

function report(): CrowdReport {
  return { honest: seenBy(honest), stalled: seenBy(stalled), hostile: outcomes };
}

function seenBy(watchers: readonly Watcher[]): Seen {
  const views: Record<string, number> = {};
  for (const { last } of watchers) {
    const view = viewOf(last);
    views[view] = (views[view] ?? 0) + 1;
  }
  const sum = (of: (watcher: Watcher) => number): number =>
    watchers.reduce((total, watcher) => total + of(watcher), 0);
  return {
    open: watchers.filter(({ socket }) => socket.readyState <= socket.OPEN).length,
    live: watchers.filter(({ isLive }) => isLive).length,
    received: sum(({ received }) => received),
    disordered: sum(({ disordered }) => disordered),
    views,
  };
}
