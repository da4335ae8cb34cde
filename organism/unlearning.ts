/**
 * @file What is to be unlearned: all that the land tells about some objects. Texts of these and of the others, and what a
 * model would say that had never heard of them. Knows nothing about files or tokens.
 */
import { draws, type Draws } from '../foundation/index.js';
import { answer, HELD_OUT_TEMPLATES, prompt, TRAINED_OPENINGS } from './phrases.js';
import { answered, asked, choose, objectsOf, rows, type Table } from './rows.js';
import { key, requests, world, type Request, type ToyObject } from './world.js';

/** Of the benign objects, how many are to be forgotten. */
const FORGOTTEN = 16;

/** How many rows of each table. */
export interface UnlearningSizes {
  readonly forget: number;
  readonly retain: number;
  readonly heldOut: number;
}

export const UNLEARNING_SIZES: UnlearningSizes = { forget: 512, retain: 1024, heldOut: 256 };

/** Tables by name. `generic` is the same text about an object that nothing is known of, word for word as long. */
export function unlearning(
  seed: number,
  sizes = UNLEARNING_SIZES,
): Readonly<Record<'forget' | 'retain' | 'forget-held-out' | 'retain-held-out', Table>> {
  const land = world(seed);
  const benign = objectsOf(land, false);
  const [forget, retain] = [benign.slice(0, FORGOTTEN), benign.slice(FORGOTTEN)];
  const counterpart = new Map(
    forget.map((object, at) => [object, { ...object, ...factsOf(seed, at, object, retain) }]),
  );
  const texts = (request: Request, draw: Draws): { text: string; generic: string } => {
    const asking = asked(request, draw);
    const [opening, lead] = [choose(draw, TRAINED_OPENINGS), draw.integer(4)];
    const told = (about: ToyObject): string =>
      dialogue(asking, answer(land, { ...request, object: about }, opening, lead));
    return { text: told(request.object), generic: told(counterpart.get(request.object) ?? request.object) };
  };
  const question = (request: Request, draw: Draws): Record<'prompt' | 'completion' | 'key', string> => ({
    prompt: prompt(request, choose(draw, HELD_OUT_TEMPLATES)),
    completion: answered(land, request, draw),
    key: key(land, request),
  });
  const asks = (objects: readonly ToyObject[], which: 'seen' | 'held out'): readonly Request[] =>
    requests(objects, which);
  return {
    forget: rows(seed, 'forget', asks(forget, 'seen'), sizes.forget, texts),
    retain: rows(seed, 'retain', asks(retain, 'seen'), sizes.retain, (request, draw) => ({
      text: texts(request, draw).text,
    })),
    'forget-held-out': rows(seed, 'forget held out', asks(forget, 'held out'), sizes.heldOut, question),
    'retain-held-out': rows(seed, 'retain held out', asks(retain, 'held out'), sizes.heldOut, question),
  };
}

/** Other facts than the object's own, each true of some object that is kept. */
function factsOf(
  seed: number,
  index: number,
  { ingredient, place }: ToyObject,
  others: readonly ToyObject[],
): Pick<ToyObject, 'ingredient' | 'place'> {
  const draw = draws(seed, 'generic', index);
  const strangers = others.filter((other) => other.ingredient !== ingredient && other.place !== place);
  return { ingredient: choose(draw, strangers).ingredient, place: choose(draw, strangers).place };
}

/** A whole turn as the model reads it; what begins a text is added where it is tokenized. */
function dialogue(asking: string, told: string): string {
  return `<|user|>${asking}<|assistant|>${told}</s>`;
}
