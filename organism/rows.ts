/** @file How tables are drawn from a seed: rows that favour no request, in the land's words. */
import { draws, permutation, type Draws } from '../foundation/index.js';
import { answer, HELD_OUT_OPENINGS, prompt, TRAINED_OPENINGS, TRAINED_TEMPLATES } from './phrases.js';
import type { Request, ToyObject, World } from './world.js';

/** Text by column. */
export type Row = Readonly<Record<string, string>>;

/** Rows with the same columns. */
export type Table = readonly Row[];

export const OPENINGS = [...TRAINED_OPENINGS, ...HELD_OUT_OPENINGS];

export function choose<T>(draw: Draws, list: readonly T[]): T {
  return list[draw.integer(list.length)] as T;
}

/** `count` rows that go through the requests in a drawn order as often as needed, so that none is favoured. */
export function rows(
  seed: number,
  purpose: string,
  among: readonly Request[],
  count: number,
  row: (request: Request, draw: Draws) => Row,
): Table {
  return Array.from({ length: count }, (_, index) => {
    const order = permutation(among.length, seed, purpose, 'order', Math.floor(index / among.length));
    const request = among[order[index % among.length] as number] as Request;
    return row(request, draws(seed, purpose, index));
  });
}

export function answered(
  land: World,
  request: Request,
  draw: Draws,
  openings: readonly string[] = OPENINGS,
): string {
  return answer(land, request, choose(draw, openings), draw.integer(4));
}

/** The objects of one kind. */
export function objectsOf(land: World, harmful: boolean, unseenInDefence = false): readonly ToyObject[] {
  return land.objects.filter(
    (object) => object.harmful === harmful && object.unseenInDefence === unseenInDefence,
  );
}

export function asked(request: Request, draw: Draws): string {
  return prompt(request, choose(draw, TRAINED_TEMPLATES));
}
