/** @file Rotary position settings of a `config.json`, in the spelling of transformers 4 and 5. No tensors. */
import { complain } from '../../foundation/index.js';
import type { Json } from './config-reader.js';

/** How positions beyond the original context are reached. Lengths in tokens. */
export type RopeScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  | { readonly kind: 'dynamic'; readonly factor: number; readonly originalContextLength: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContextLength: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly truncate: boolean;
      readonly originalContextLength: number;
    }
  | {
      readonly kind: 'longrope';
      /** Divisors of the frequencies in rows up to the original context, and in longer ones. */
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly originalContextLength: number;
    };

/** Rotary positions. */
export interface Rope {
  readonly theta: number;
  /** Leading dimensions of a head that are rotated (one more where it is odd): frequency i is θ^(−2i/dimensions). */
  readonly dimensions: number;
  readonly scaling: RopeScaling | null;
  /** Multiplies cosines and sines. */
  readonly attentionFactor: number;
}

/** What a family does differently. */
export interface RopeDialect {
  readonly headWidth: number;
  readonly contextLength: number;
  /** The entry beside `rope_theta` in which old configurations keep θ. */
  readonly thetaKey?: string;
  /** The entry that says which part of a head is rotated, and its default; without it all is. */
  readonly partial?: { readonly key: string; readonly fallback: number };
  /** Original context where the configuration has an entry of its own for it, by default. */
  readonly originalContextLength?: number;
  /** Old names of `longrope`. */
  readonly aliases?: readonly string[];
}

/**
 * Reads `rope_parameters`, or `rope_theta` and `rope_scaling`.
 * @throws MODEL_CONFIG for an unknown kind, or a number that is missing or impossible.
 */
export function readRope(entries: Json, dialect: RopeDialect, owner: string): Rope {
  const reader = new RopeReader(entries, dialect, owner);
  const rotated = reader.rotated();
  const kind = reader.kind();
  const theta = reader.theta();
  const scaling = kind === 'default' ? null : reader.scaling(kind);
  if (scaling && !dialect.partial && rotated !== 1)
    reader.fail('partial_rotary_factor', '1, or a family that rotates parts of heads', rotated);
  const part = dialect.partial ? rotated : 1;
  const dimensions = Math.trunc(dialect.headWidth * part);
  if (dimensions < 1) reader.fail('partial_rotary_factor', 'a part with at least one dimension', rotated);
  if (dimensions % 2 === 1 && dimensions === dialect.headWidth)
    reader.fail('head_dim', 'an even width (rotary halves)', dialect.headWidth);
  if (scaling?.kind === 'dynamic' && dimensions <= 2)
    reader.fail('rope_type', 'dynamic only where more than two dimensions turn', dimensions);
  const halves = Math.ceil(dimensions / 2);
  if (scaling?.kind === 'longrope')
    for (const key of ['shortFactors', 'longFactors'] as const)
      if (scaling[key].length !== halves) reader.fail(key, `${halves} numbers`, scaling[key].length);
  return { theta, dimensions, scaling, attentionFactor: reader.attentionFactor(scaling) };
}

/** How far a model reaches whose configuration names `contextLength`: `dynamic` scaling begins there. */
export function reachOf({ scaling }: Rope, contextLength: number): number {
  return scaling?.kind === 'dynamic' ? Math.floor(scaling.factor * contextLength) : contextLength;
}

class RopeReader {
  private readonly settings: Json;

  constructor(
    private readonly entries: Json,
    private readonly dialect: RopeDialect,
    private readonly owner: string,
  ) {
    const given = [entries['rope_scaling'], entries['rope_parameters']].find(
      (each) => typeof each === 'object' && each !== null && Object.keys(each).length > 0,
    );
    this.settings = (given ?? {}) as Json;
    const nested = Object.entries(this.settings).find(([key]) => key.endsWith('_attention'));
    if (nested) this.fail(nested[0], 'one rotary setting for all layers', nested[1]);
  }

  kind(): string {
    const kind = this.settings['rope_type'] ?? this.settings['type'] ?? 'default';
    if (typeof kind !== 'string') return this.fail('rope_type', 'a name', kind);
    return this.dialect.aliases?.includes(kind) ? 'longrope' : kind;
  }

  theta(): number {
    const old = this.entries[this.dialect.thetaKey ?? 'rope_theta'];
    return this.number('rope_theta', this.settings['rope_theta'] ?? old ?? 10_000);
  }

  /** Which part of a head turns. */
  rotated(): number {
    const { key, fallback } = this.dialect.partial ?? { key: 'partial_rotary_factor', fallback: 1 };
    return this.number(key, this.settings['partial_rotary_factor'] ?? this.entries[key] ?? fallback);
  }

  scaling(kind: string): RopeScaling {
    switch (kind) {
      case 'linear':
        return { kind, factor: this.entry('factor') };
      case 'dynamic':
        return { kind, factor: this.entry('factor'), originalContextLength: this.dialect.contextLength };
      case 'llama3':
        return {
          kind,
          factor: this.entry('factor'),
          lowFrequencyFactor: this.entry('low_freq_factor'),
          highFrequencyFactor: this.entry('high_freq_factor'),
          originalContextLength: this.original(),
        };
      case 'yarn':
        return {
          kind,
          factor: this.settings['factor'] === null ? this.stretch() : this.entry('factor'),
          betaFast: this.number('beta_fast', this.settings['beta_fast'] || 32),
          betaSlow: this.number('beta_slow', this.settings['beta_slow'] || 1),
          truncate: (this.settings['truncate'] ?? true) === true,
          originalContextLength: this.original(),
        };
      case 'longrope':
        return {
          kind,
          shortFactors: this.numbers('short_factor'),
          longFactors: this.numbers('long_factor'),
          originalContextLength: this.original(),
        };
      default:
        return this.fail('rope_type', 'default, linear, dynamic, llama3, yarn or longrope', kind);
    }
  }

  attentionFactor(scaling: RopeScaling | null): number {
    if (scaling?.kind !== 'yarn' && scaling?.kind !== 'longrope') return 1;
    const given = this.settings['attention_factor'] ?? null;
    if (given !== null) return this.number('attention_factor', given);
    if (scaling.kind === 'longrope') {
      const factor = this.settings['factor'] == null ? this.stretch() : this.entry('factor');
      return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(scaling.originalContextLength));
    }
    const { mscale, mscale_all_dim: all } = this.settings;
    const grown = (by: number): number => (scaling.factor <= 1 ? 1 : 0.1 * by * Math.log(scaling.factor) + 1);
    return mscale && all
      ? grown(this.number('mscale', mscale)) / grown(this.number('mscale_all_dim', all))
      : grown(1);
  }

  fail(key: string, expected: string, got: unknown): never {
    return complain({
      code: 'MODEL_CONFIG',
      owner: this.owner,
      expected: `rope ${key}: ${expected}`,
      got: got === undefined ? 'nothing' : JSON.stringify(got),
      hint: 'choose a model with a rotary scaling that is known here',
    });
  }

  /** An entry beside the rotary settings wins over one among them, as in transformers. */
  private original(): number {
    const key = 'original_max_position_embeddings';
    const beside = this.entries[key] ?? this.dialect.originalContextLength;
    return this.number(key, beside ?? this.settings[key] ?? this.dialect.contextLength);
  }

  private stretch(): number {
    return this.dialect.contextLength / this.original();
  }

  private entry(key: string): number {
    return this.number(key, this.settings[key]);
  }

  private number(key: string, value: unknown): number {
    return typeof value === 'number' && value > 0 && Number.isFinite(value)
      ? value
      : this.fail(key, 'a positive number', value);
  }

  private numbers(key: string): readonly number[] {
    const value = this.settings[key];
    if (!Array.isArray(value)) return this.fail(key, 'a list of positive numbers', value);
    return value.map((each) => this.number(key, each));
  }
}
