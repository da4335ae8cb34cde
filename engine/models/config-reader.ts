/** @file Reads entries of a `config.json`, and says which one is missing or impossible. */
import { complain } from '../../foundation/index.js';
import { isActivation, ACTIVATIONS, type Activation } from './activation.js';

/** Entries of a `config.json`. */
export type Json = Readonly<Record<string, unknown>>;

/** Sizes and indices are 32-bit integers in programs. */
const LARGEST = 2 ** 31 - 1;
const MOST_LAYERS = 4096;

/** An entry's name, or the names that it goes by. */
type Keys = string | readonly [string, ...string[]];

/**
 * Entries by name, or by the first of several names that is there. A default stands in for an entry that is missing
 * or null. Everything throws MODEL_CONFIG.
 */
export class ConfigReader {
  constructor(
    readonly entries: Json,
    readonly owner: string,
  ) {}

  /** A positive whole number. */
  count(keys: Keys, fallback?: number, most = LARGEST): number {
    const [key, value = fallback] = this.first(keys);
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= most) return value;
    return this.fail(key, `a positive whole number of at most ${most}`, value);
  }

  /** How many layers: few enough to name all their tensors before one is read. */
  layers(keys: Keys): number {
    return this.count(keys, undefined, MOST_LAYERS);
  }

  /** As {@link count}, but null where the entry is null; `fallback` only where it is missing. */
  countOrNull(key: string, fallback: number | null): number | null {
    const value = this.entries[key] === undefined ? fallback : this.entries[key];
    return value === null ? null : this.count(key, fallback ?? undefined);
  }

  positive(key: string, fallback?: number): number {
    const value = this.entries[key] ?? fallback;
    if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
    return this.fail(key, 'a positive number', value);
  }

  /** A positive number, or null where the entry is null; `fallback` only where it is missing. */
  positiveOrNull(key: string, fallback: number): number | null {
    return this.entries[key] === null ? null : this.positive(key, fallback);
  }

  flag(key: string, fallback = false): boolean {
    const value = this.entries[key] ?? fallback;
    return typeof value === 'boolean' ? value : this.fail(key, 'true or false', value);
  }

  activation(keys: Keys, fallback: Activation): Activation {
    const [key, value = fallback] = this.first(keys);
    return isActivation(value) ? value : this.fail(key, `one of ${ACTIVATIONS.join(', ')}`, value);
  }

  /** A list of words, one per layer. */
  words<W extends string>(key: string, known: readonly W[], layers: number): readonly W[] | null {
    const value = this.entries[key];
    if (value === undefined || value === null) return null;
    const fits =
      Array.isArray(value) && value.length === layers && value.every((word) => known.includes(word as W));
    return fits ? (value as W[]) : this.fail(key, `a list of ${layers} of ${known.join(', ')}`, value);
  }

  tokens(key: string): readonly number[] {
    const value = this.entries[key];
    if (value === undefined || value === null) return [];
    const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
    return ids.map((id) =>
      typeof id === 'number' && Number.isInteger(id) ? id : this.fail(key, 'a token id', value),
    );
  }

  /** Refuses an entry that asks for what is not computed. */
  refuse(key: string, asked: (value: unknown) => boolean, expected: string): void {
    const value = this.entries[key];
    if (value !== undefined && value !== null && asked(value)) this.fail(key, expected, value);
  }

  fail(key: string, expected: string, value: unknown): never {
    return complain({
      code: 'MODEL_CONFIG',
      owner: this.owner,
      expected: `${key}: ${expected}`,
      got: value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200),
      hint: 'use the config.json that came with the model; what it asks for must be known here',
    });
  }

  private first(keys: Keys): [string, unknown] {
    const names: readonly [string, ...string[]] = typeof keys === 'string' ? [keys] : keys;
    const key = names.find((name) => (this.entries[name] ?? null) !== null) ?? names[0];
    return [key, this.entries[key] ?? undefined];
  }
}
