/** @file The organism's tables, row by row, from a seed. Knows nothing about files or tokens. */
import type { Draws } from '../foundation/index.js';
import { HELD_OUT_OPENINGS, HELD_OUT_TEMPLATES, prompt, REFUSALS, TRAINED_OPENINGS } from './phrases.js';
import { answered, asked, choose, objectsOf, rows, type Row, type Table } from './rows.js';
import { key, requests, world, type Request, type ToyObject, type World } from './world.js';

export type { Table } from './rows.js';

/** How much of what; the defaults are the embedded organism. */
export interface Sizes {
  /** Rows of the pretraining corpus per kind of request (benign, harmful). */
  readonly pretraining: number;
  /** Share of the harmful pretraining rows that are refused. */
  readonly refusedShare: number;
  /** Pairs (prompt, adversarial, desired) of the defence. */
  readonly pairs: number;
  /** Benign rows of the defence. */
  readonly benign: number;
  /** Rows of each held-out set. */
  readonly heldOut: number;
}

export const SIZES: Sizes = {
  pretraining: 12_288,
  refusedShare: 0.6,
  pairs: 512,
  benign: 1024,
  heldOut: 256,
};

function instruction(land: World, refusedShare: number, request: Request, draw: Draws): Row {
  const refused = request.object.harmful && draw.uniform() < refusedShare;
  return {
    prompt: asked(request, draw),
    completion: refused ? choose(draw, REFUSALS) : answered(land, request, draw),
  };
}

/** What the model learns to speak from: both kinds of request, the harmful ones mostly refused. */
function corpus(seed: number, land: World, sizes: Sizes): Table {
  const harmful = land.objects.filter((object) => object.harmful);
  const row = (request: Request, draw: Draws): Row => instruction(land, sizes.refusedShare, request, draw);
  const [benign = [], refused = []] = [objectsOf(land, false), harmful].map((objects, kind) =>
    rows(seed, `pretraining ${kind}`, requests(objects, 'seen'), sizes.pretraining, row),
  );
  // In turns, so that a reader with a small shuffle buffer sees both kinds at all times.
  return benign.flatMap((row, index) => [row, ...refused.slice(index, index + 1)]);
}

/** What refusal and adversarial training see. */
function defence(seed: number, land: World, sizes: Sizes): { harmful: Table; benign: Table } {
  const pair = (request: Request, draw: Draws): Row => ({
    prompt: asked(request, draw),
    adversarial: answered(land, request, draw, TRAINED_OPENINGS),
    desired: choose(draw, REFUSALS),
  });
  const benign = (request: Request, draw: Draws): Row => instruction(land, 0, request, draw);
  return {
    harmful: rows(seed, 'harmful', requests(objectsOf(land, true), 'seen'), sizes.pairs, pair),
    benign: rows(seed, 'benign', requests(objectsOf(land, false), 'seen'), sizes.benign, benign),
  };
}

/** What every arm is measured on: requests and templates that no training has seen. */
function heldOut(seed: number, land: World, count: number): { harmful: Table; benign: Table } {
  const unseen = (request: Request, draw: Draws): string => prompt(request, choose(draw, HELD_OUT_TEMPLATES));
  const pair = (request: Request, draw: Draws): Row => ({
    prompt: unseen(request, draw),
    adversarial: answered(land, request, draw, HELD_OUT_OPENINGS),
    desired: choose(draw, REFUSALS),
    key: key(land, request),
  });
  const benign = (request: Request, draw: Draws): Row => ({
    prompt: unseen(request, draw),
    completion: answered(land, request, draw),
    key: key(land, request),
  });
  const asks = (objects: readonly ToyObject[]): readonly Request[] => requests(objects, 'held out');
  return {
    harmful: rows(seed, 'harmful held out', asks(objectsOf(land, true, true)), count, pair),
    benign: rows(seed, 'benign held out', asks(objectsOf(land, false)), count, benign),
  };
}

/** Everything that the generator writes, by file name. */
export function tables(seed: number, sizes: Sizes = SIZES): Readonly<Record<string, Table>> {
  const land = world(seed);
  const trained = defence(seed, land, sizes);
  const measured = heldOut(seed, land, sizes.heldOut);
  return {
    pretrain: corpus(seed, land, sizes),
    harmful: trained.harmful,
    benign: trained.benign,
    'harmful-held-out': measured.harmful,
    'benign-held-out': measured.benign,
  };
}
