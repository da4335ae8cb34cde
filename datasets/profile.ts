/** @file What the columns of a dataset hold, seen row by row in bounded memory. Knows nothing about examples. */
import { Counter, type Histogram } from '../foundation/index.js';
import type { Row, Source } from './sources/source.js';

/** One column, as far as it was looked at. */
export interface ColumnProfile {
  readonly name: string;
  /** As the file says, or as its values were. */
  readonly type: string;
  readonly nulls: number;
  /** Of texts in characters (UTF-16 units), of lists in items, of bytes in bytes. */
  readonly lengths?: Histogram;
  readonly unit?: 'characters' | 'items' | 'bytes';
}

/** Looks at rows. */
export class Profiler {
  private readonly columns: readonly ColumnCounter[];

  constructor(source: Source) {
    this.columns = source.columns.map((name, at) => new ColumnCounter(name, source.types?.[at]));
  }

  see(row: Row): void {
    for (const column of this.columns) column.see(row[column.name]);
  }

  profile(): ColumnProfile[] {
    return this.columns.map((column) => column.profile());
  }
}

class ColumnCounter {
  private nulls = 0;
  private readonly kinds = new Set<string>();
  private readonly lengths = new Counter();
  private unit: ColumnProfile['unit'];

  constructor(
    readonly name: string,
    private readonly type: string | undefined,
  ) {}

  see(value: unknown): void {
    if (value === undefined || value === null) {
      this.nulls++;
      return;
    }
    const kind = kindOf(value);
    this.kinds.add(kind);
    const unit = UNITS[kind];
    if (!unit) return;
    this.unit = unit;
    this.lengths.add((value as { readonly length: number }).length);
  }

  profile(): ColumnProfile {
    return {
      name: this.name,
      type: this.type ?? ([...this.kinds].join(' or ') || 'nothing'),
      nulls: this.nulls,
      ...(this.unit && { lengths: this.lengths.histogram(), unit: this.unit }),
    };
  }
}

const UNITS: Readonly<Record<string, ColumnProfile['unit']>> = {
  text: 'characters',
  list: 'items',
  bytes: 'bytes',
};

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Date) return 'time';
  return typeof value === 'object' ? 'struct' : typeof value === 'bigint' ? 'number' : typeof value;
}
