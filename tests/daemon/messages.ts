/** @file What each route of the control API may be asked and may answer, and routes that are held to it. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  answersQuery,
  answersView,
  change,
  descriptionView,
  evaluationsView,
  filesView,
  logView,
  metricsQuery,
  metricsView,
  refusal,
  runList,
  runView,
  submission,
  workerList,
} from '../../daemon/protocol.js';
import type { Route } from '../../daemon/routes.js';
import { RUN_COMMANDS } from '../../daemon/transitions.js';
import { sweepQuery, sweepView } from '../../sweeps/protocol.js';

interface Message {
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly reply: z.ZodType;
}

/** By method and path, as docs/protocol.md has them. */
export const MESSAGES: Readonly<Record<string, Message>> = {
  'GET /healthz': { reply: z.object({ status: z.literal('ok') }) },
  'GET /readyz': { reply: z.object({ status: z.enum(['ready', 'not ready']) }) },
  'GET /metrics.prom': { reply: z.string() },
  'GET /workers': { reply: workerList },
  'GET /runs': { reply: runList },
  'POST /runs': { body: submission, reply: runView },
  ...Object.fromEntries(RUN_COMMANDS.map((command) => [`POST /runs/ID/${command}`, { reply: runView }])),
  'PATCH /runs/ID': { body: change, reply: runView },
  'GET /runs/ID/metrics': { query: metricsQuery, reply: metricsView },
  'GET /runs/ID/answers': { query: answersQuery, reply: answersView },
  'GET /runs/ID/evaluation': { reply: evaluationsView },
  'GET /runs/ID/description': { reply: descriptionView },
  'GET /runs/ID/log': { reply: logView },
  'GET /runs/ID/files': { reply: filesView },
  'GET /runs/ID/files/PATH': { reply: z.object({ bytes: z.number() }) },
  'GET /sweeps/NAME': { query: sweepQuery, reply: sweepView },
};

/** In a schema every key of `value` is known. @throws where one is not, or something is not as it should be */
export function hold<T>(schema: z.ZodType<T>, value: unknown): T {
  const json: unknown = typeof value === 'string' ? value : JSON.parse(JSON.stringify(value));
  const result = schema.parse(json);
  if (!isDeepStrictEqual(result, json)) throw new Error(`keys that no schema has: ${JSON.stringify(json)}`);
  return result;
}

/** A refusal as it goes over the wire. */
export const refusalIn = (text: string): z.infer<typeof refusal> => hold(refusal, JSON.parse(text));

/**
 * The same routes; what they are asked and take, and what they answer, is as {@link MESSAGES} has it, or an error.
 * @param asked hears which of them was answered
 */
export function held(routes: readonly Route[], asked: (message: string) => void): Route[] {
  return routes.map((route): Route => {
    const name = Object.keys(MESSAGES).find((each) => {
      const [method, path = ''] = each.split(' ');
      return method === route.method && route.path.test(path);
    });
    const message = name === undefined ? undefined : MESSAGES[name];
    return {
      ...route,
      answer: async (id, body, query, rest) => {
        const reply = await route.answer(id, body, query, rest);
        if (name === undefined || message === undefined) {
          if (reply.type === undefined) throw new Error(`a message that no test knows: ${route.path.source}`);
          return reply; // a file of the page
        }
        message.body?.parse(body);
        message.query?.parse(query);
        hold(message.reply, reply.file ? { bytes: reply.file.bytes } : reply.body);
        asked(name);
        return reply;
      },
    };
  });
}
