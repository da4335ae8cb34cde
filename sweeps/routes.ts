/** @file The route of a daemon that tells what a sweep in its queue came to. */
import type { Queue, Route } from '../daemon/index.js';
import { Overviews } from './overview.js';
import { sweepQuery, type SweepQuery } from './protocol.js';

/** For `startDaemon`. */
export function sweepRoutes(queue: Queue): readonly Route[] {
  const overviews = new Overviews(queue);
  return [
    {
      method: 'GET',
      path: /^\/sweeps\/([\w.-]{1,80})$/,
      query: sweepQuery,
      answer: async (name, _, query) => ({
        status: 200,
        body: await overviews.of(name, (query as SweepQuery).arm),
      }),
    },
  ];
}
