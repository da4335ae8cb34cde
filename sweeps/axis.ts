/** @file One thing that a sweep varies: where in the recipe, and what is tried there. Text in, plain data out, and back. */
import { refuseGrid } from './refuse.js';
import { valuesOf, valueText, type Json } from './values.js';

export interface Axis {
  /** As the user names it: a path of the recipe, or one of {@link ALIASES}. */
  readonly name: string;
  readonly values: readonly Json[];
}

/** Short names of what is varied most, and where it is. */
const ALIASES: Readonly<Record<string, string>> = {
  epsilon: 'attack.epsilon',
  layers: 'attack.sites',
  learningRate: 'defend.learningRate',
};

const NAME = /^[\w-]+(\.[\w-]+)*$/;

/** `path=v1,v2,…`; see `valuesOf` for values. @throws SWEEP_GRID */
export function axisOf(text: string): Axis {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trim();
  if (!NAME.test(name))
    refuseGrid(
      text,
      'path=value,value,…',
      name === '' ? 'no path' : name,
      'as in epsilon=0.5,1,2 or attack.iterations=8,16',
    );
  return { name, values: valuesOf(text.slice(equals + 1), text) };
}

/** What {@link axisOf} reads as the same axis. */
export function axisText({ name, values }: Axis): string {
  return `${name}=${values.map(valueText).join(',')}`;
}

/** Where an axis is in the recipe. */
export function pathOf(name: string): string {
  return ALIASES[name] ?? name;
}

/** A value of an axis as `--set` takes it. */
export function settingOf(name: string, value: Json): string {
  return `${pathOf(name)}=${JSON.stringify(name === 'layers' ? sitesOf(value) : value)}`;
}

/** Layers by number are their residual streams; what is said in words stays. */
function sitesOf(value: Json): Json {
  if (value === 'all' || value === null) return value;
  const all: readonly Json[] = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return all.map((each) => (typeof each === 'number' ? `layers.${each}.residual` : each));
}

/** @throws SWEEP_GRID where two axes vary the same */
export function axesOf(texts: readonly string[]): Axis[] {
  const axes = texts.map(axisOf);
  axes.forEach(({ name }, at) => {
    const twin = axes.slice(0, at).find((other) => pathOf(other.name) === pathOf(name));
    if (twin)
      refuseGrid(
        texts[at] as string,
        'each path once',
        `${pathOf(name)} twice`,
        'put all its values behind one --grid',
      );
  });
  return axes;
}
