/** @file What the control API tells of what runs have left: metrics, answers, evaluations, what happened, and their files. */
import { checkRecipe, describeRecipe } from '../recipes/index.js';
import { answersQuery, metricsQuery } from './protocol.js';
import type { Queue } from './queue.js';
import { checked, type Route } from './routes.js';

export function recordRoutes(queue: Queue): readonly Route[] {
  const get = (what: string, answer: (id: string, query: unknown) => Promise<unknown>): Route => ({
    method: 'GET',
    path: new RegExp(`^/runs/([\\w-]+)/${what}$`),
    answer: async (id, _, query) => ({ status: 200, body: await answer(id, query) }),
  });
  return [
    get('metrics', async (id, query) => {
      const { after, points } = checked(metricsQuery, query);
      return queue.metrics(id, after, points);
    }),
    get('answers', async (id, query) => queue.answers(id, checked(answersQuery, query).index)),
    get('evaluation', (id) => queue.evaluations(id)),
    get('description', async (id) => describeRecipe(checkRecipe(await queue.recipe(id), `run ${id}`))),
    get('log', (id) => queue.log(id)),
    { ...get('files', (id) => queue.files(id)), control: true },
    {
      method: 'GET',
      path: /^\/runs\/([\w-]+)\/files\/(.+)$/,
      control: true,
      answer: async (id, _body, _query, rest) => ({
        status: 200,
        body: undefined,
        file: await queue.file(id, nameIn(rest)),
      }),
    },
  ];
}

/** The name of a file in an address; what is none is that of no file. */
function nameIn(rest: string): string {
  try {
    return decodeURIComponent(rest);
  } catch {
    return '';
  }
}
