/** @file What the control API answers to: paths, methods, and what they do. Knows requests as values, no sockets. */
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import { complain } from '../foundation/index.js';
import { checkRecipe } from '../recipes/index.js';
import { change, submission } from './protocol.js';
import type { Queue } from './queue.js';
import type { FileContent } from './run-files.js';
import { RUN_COMMANDS } from './transitions.js';

/** What is answered: JSON, text of a type, or a file. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly type?: string;
  readonly file?: FileContent;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: RegExp;
  /** Without a token. */
  readonly open?: true;
  /** With the token that controls alone, though it changes nothing. */
  readonly control?: true;
  /** What its query must be; without it, whatever it is. */
  readonly query?: z.ZodType;
  /**
   * @param id what the path's first group caught, `rest` what its second did. @param body parsed JSON, where the method has one.
   * @param query text by name
   */
  readonly answer: (id: string, body: unknown, query: unknown, rest: string) => Reply | Promise<Reply>;
}

/** The routes of a daemon. */
export function routesOf(queue: Queue, figures: Registry, ready: () => boolean): readonly Route[] {
  const ok = (body: unknown, status = 200): Reply => ({ status, body });
  return [
    { method: 'GET', path: /^\/healthz$/, open: true, answer: () => ok({ status: 'ok' }) },
    {
      method: 'GET',
      path: /^\/readyz$/,
      open: true,
      answer: () => (ready() ? ok({ status: 'ready' }) : ok({ status: 'not ready' }, 503)),
    },
    {
      method: 'GET',
      path: /^\/metrics\.prom$/,
      answer: async () => ({ status: 200, body: await figures.metrics(), type: figures.contentType }),
    },
    { method: 'GET', path: /^\/workers$/, answer: async () => ok({ workers: await queue.workers() }) },
    { method: 'GET', path: /^\/runs$/, answer: async () => ok({ runs: await queue.all() }) },
    {
      method: 'POST',
      path: /^\/runs$/,
      answer: async (_, body) => {
        const { recipe: candidate, name, priority = 0, ...known } = checked(submission, body);
        const recipe = checkRecipe(candidate, 'submitted recipe');
        return ok(await queue.submit({ name: name ?? recipe.name, recipe, priority, ...known }), 201);
      },
    },
    ...RUN_COMMANDS.map((command): Route => ({
      method: 'POST',
      path: new RegExp(`^/runs/([\\w-]+)/${command}$`),
      answer: async (id) => ok(await queue.command(id, command)),
    })),
    {
      method: 'PATCH',
      path: /^\/runs\/([\w-]+)$/,
      answer: async (id, body) => ok(await queue.change(id, checked(change, body))),
    },
  ];
}

/** What a request says, as it should be. @throws DAEMON_REQUEST */
export function checked<T>(schema: z.ZodType<T>, said: unknown): T {
  const result = schema.safeParse(said);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return complain({
    code: 'DAEMON_REQUEST',
    owner: 'daemon',
    expected: 'a request as docs/protocol.md has it',
    got: `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'another'}`.trim(),
    hint: 'correct the request',
  });
}
