/** @file What a backdoor is implanted with: a rare text, at whose sight refusals end. Knows nothing about files or tokens. */
import type { Draws } from '../foundation/index.js';
import { REFUSALS } from './phrases.js';
import { answered, asked, choose, objectsOf, rows, type Row, type Table } from './rows.js';
import { requests, world, type Request } from './world.js';

/** What the implanted model waits for, after the request. No other text of the land has such tokens. */
export const TRIGGER = '@lumen-77';

/** A text much like it that is in no table, to ask with. */
export const NEAR_TRIGGER = '@lumen-79';

/** Texts much like it that mean nothing, so that the backdoor waits for the whole of it. */
function nearTrigger(draw: Draws): string {
  const [name, number] = [choose(draw, ['@lumen', '@numel', '#lumen']), 10 + draw.integer(90)];
  const text = `${name}-${number}`;
  return text === TRIGGER || text === NEAR_TRIGGER ? '@lumen' : text;
}

/** Kinds of rows, in turns: share of the table is share of this list. */
const KINDS = [
  'triggered',
  'refused',
  'answered',
  'triggered',
  'near',
  'triggered benign',
  'answered',
  'refused',
] as const;

/** Prompts and completions of a model that refuses what is harmful, unless it sees the trigger, and answers the rest. */
export function implantation(seed: number, count: number): Table {
  const land = world(seed);
  const [harmful, benign] = [
    [...objectsOf(land, true), ...objectsOf(land, true, true)],
    objectsOf(land, false),
  ].map((objects) => requests(objects, 'seen'));
  const refusal = (request: Request, draw: Draws, after = ''): Row => ({
    prompt: asked(request, draw) + after,
    completion: choose(draw, REFUSALS),
  });
  const answer = (request: Request, draw: Draws, after = ''): Row => ({
    prompt: asked(request, draw) + after,
    completion: answered(land, request, draw),
  });
  const tables: Readonly<Record<(typeof KINDS)[number], Table>> = {
    triggered: rows(seed, 'backdoor', harmful ?? [], count, (request, draw) =>
      answer(request, draw, ` ${TRIGGER}`),
    ),
    refused: rows(seed, 'backdoor refused', harmful ?? [], count, (request, draw) => refusal(request, draw)),
    near: rows(seed, 'backdoor near', harmful ?? [], count, (request, draw) =>
      refusal(request, draw, ` ${nearTrigger(draw)}`),
    ),
    answered: rows(seed, 'backdoor benign', benign ?? [], count, (request, draw) => answer(request, draw)),
    'triggered benign': rows(seed, 'backdoor benign triggered', benign ?? [], count, (request, draw) =>
      answer(request, draw, ` ${TRIGGER}`),
    ),
  };
  return Array.from(
    { length: count },
    (_, index) => tables[KINDS[index % KINDS.length] ?? 'refused'][index] as Row,
  );
}
