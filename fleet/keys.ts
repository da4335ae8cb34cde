/** @file The names under which Redis keeps a shared queue: all in one slot of a cluster. */

/** Of BullMQ's keys, too. */
export const PREFIX = '{latstream}';
/** BullMQ's name of the queue. */
export const QUEUE = 'jobs';

const key = (...parts: readonly string[]): string => [PREFIX, ...parts].join(':');

export const KEYS = {
  /** Ids, by submission. */
  runs: key('runs'),
  /** Hash of clients' keys to ids. */
  keys: key('keys'),
  sequence: key('sequence'),
  /** Stream of accepted completions. */
  completions: key('completions'),
  /** Stream of writes that came too late. */
  refused: key('refused'),
  /** Stream of what webhooks are told; each address is a consumer group. */
  news: key('news'),
  /** Hash of these groups to when they had a daemon last, in milliseconds since the epoch. */
  hooks: key('hooks'),
  /** Which store the queue's workers share. */
  store: key('store'),
  /** Channel: ids of runs that somebody has said something to. */
  nudges: key('nudges'),
  run: (id: string): string => key('run', id),
  /** List of JSON. */
  events: (id: string): string => key('events', id),
  /** List of JSON: what workers have logged. */
  lines: (id: string): string => key('lines', id),
  /** Set of thresholds that were told of. */
  told: (id: string): string => key('told', id),
  /** Stream. */
  metrics: (id: string): string => key('metrics', id),
  /** Set of ids of daemons; those that are heard of no more are in it until somebody looks. */
  workers: key('workers'),
  /** There while the worker is heard of. */
  worker: (node: string): string => key('worker', node),
} as const;
