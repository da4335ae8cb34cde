/** @file What runs have left in their directories, for those who look from afar: metrics, answers, what happened. */
import { createReadStream, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { evaluationSchema, readText } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { metricsAfter } from '../monitor/index.js';
import {
  answer,
  answersQuery,
  metricsQuery,
  type AnswerView,
  type AnswersView,
  type EvaluationsView,
  type LogView,
} from './protocol.js';
import { checked, type Route } from './routes.js';
import type { Store, StoredEvent } from './store.js';
import type { Tail } from './tail.js';

/** In bytes, of one arm's answers: what is behind is not looked at. */
const MOST_ANSWERS = 2 ** 26;
/** In bytes, of one arm's evaluation. */
const LONGEST_EVALUATION = 2 ** 25;
/** Characters of a text that are shown. */
const LONGEST_TEXT = 4000;

export function recordRoutes(store: Store, tail: Tail): readonly Route[] {
  const get = (what: string, answer: Route['answer']): Route => ({
    method: 'GET',
    path: new RegExp(`^/runs/([\\w-]+)/${what}$`),
    answer,
  });
  return [
    get('metrics', async (id, _, query) => {
      const { after, points } = checked(metricsQuery, query);
      const path = join(store.find(id).directory, 'metrics.ndjson');
      return { status: 200, body: await metricsAfter(path, after, points) };
    }),
    get('answers', async (id, _, query) => {
      const { index } = checked(answersQuery, query);
      return { status: 200, body: await answersTo(store.find(id).directory, index) };
    }),
    get('evaluation', async (id) => {
      const names = ['base', ...armsOf(store.recipe(id))];
      return { status: 200, body: await evaluationsOf(store.find(id).directory, names) };
    }),
    get('log', (id) => {
      const body: LogView = { events: store.events(id).map(viewOf), lines: [...tail.of(id)] };
      return { status: 200, body };
    }),
  ];
}

function viewOf({ time, ...rest }: StoredEvent): LogView['events'][number] {
  return { time: new Date(time).toISOString(), ...rest };
}

function armsOf(recipe: unknown): string[] {
  return Object.keys((recipe as { readonly arms?: object }).arms ?? {});
}

/** @throws DAEMON_RECORD where a file is no evaluation */
async function evaluationsOf(directory: string, names: readonly string[]): Promise<EvaluationsView> {
  const models: EvaluationsView['models'] = [];
  for (const name of names) {
    const path = join(directory, name, 'evaluation.json');
    if (existsSync(path)) models.push({ name, evaluation: await evaluationIn(path) });
  }
  return { models };
}

async function evaluationIn(path: string): Promise<EvaluationsView['models'][number]['evaluation']> {
  try {
    return evaluationSchema.parse(JSON.parse(await readText(path, LONGEST_EVALUATION)));
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    return complain(
      {
        code: 'DAEMON_RECORD',
        owner: `run, ${path}`,
        expected: 'an evaluation',
        got: (line ?? '').slice(0, 200),
        hint: 'the file was damaged or changed: restore it, or submit the run again',
      },
      { cause: error },
    );
  }
}

/** The answers of every arm that has been evaluated to one question, under every attack. */
async function answersTo(directory: string, index: number): Promise<AnswersView> {
  const answers: AnswerView[] = [];
  let questions = 0;
  const arms = existsSync(directory) ? (await readdir(directory)).sort() : [];
  for (const arm of arms) {
    const path = join(directory, arm, 'answers.jsonl');
    if (!existsSync(path)) continue;
    const input = createReadStream(path, { end: MOST_ANSWERS });
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const found = answerIn(line);
      if (found === undefined) continue;
      questions = Math.max(questions, found.index + 1);
      if (found.index === index) answers.push({ arm, ...found });
    }
  }
  return { questions, answers };
}

/** Lines that are no answers are passed over. */
function answerIn(line: string): Omit<AnswerView, 'arm'> | undefined {
  try {
    const { data } = answer.omit({ arm: true }).safeParse(JSON.parse(line));
    return (
      data && {
        ...data,
        request: clip(data.request),
        given: clip(data.given),
        generated: clip(data.generated),
      }
    );
  } catch {
    return undefined;
  }
}

function clip(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
