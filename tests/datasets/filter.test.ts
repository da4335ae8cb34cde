/** @file Each condition of a filter, on each kind of value. */
import { describe, expect, it } from 'vitest';
import { sieve, type RowFilter } from '../../datasets/index.js';
import { CountingSource } from './helpers.js';

const rows = [
  { text: 'Straße', list: [1, 2], count: 5, big: 2n ** 60n, nested: { deep: 'x' } },
  { text: '', list: [], count: 0, big: 1, nested: null },
  { text: null, list: null, count: null, big: null, nested: { deep: null } },
];
const source = new CountingSource([3], (index) => rows[index]!);

const kept = (...filters: RowFilter[]): number[] => {
  const { keeps } = sieve(source, filters);
  return rows.flatMap((row, index) => (keeps({ row, index }) ? [index] : []));
};

describe('sieve', () => {
  it.each<[RowFilter, number[]]>([
    [{ column: 'text' }, [0, 1, 2]],
    [{ column: 'text', equals: '' }, [1]],
    [{ column: 'text', notEquals: '' }, [0, 2]],
    [{ column: 'text', matches: '^S.*ße$' }, [0]],
    [{ column: 'text', matches: '' }, [0, 1]],
    [{ column: 'text', notMatches: 'ße$' }, [1, 2]],
    [{ column: 'text', matches: '', notMatches: '^$' }, [0]],
    [{ column: 'text', minLength: 1 }, [0]],
    [{ column: 'text', maxLength: 5 }, [1]],
    [{ column: 'text', minLength: 6, maxLength: 6 }, [0]],
    [{ column: 'text', exists: true }, [0, 1]],
    [{ column: 'text', exists: false }, [2]],
    [{ column: 'text', exists: false, matches: 'x' }, []],
    [{ column: 'list', minLength: 2 }, [0]],
    [{ column: 'list', maxLength: 0 }, [1]],
    [{ column: 'count', in: [5, 7] }, [0]],
    [{ column: 'count', equals: '5' }, []],
    [{ column: 'big', equals: '1152921504606846976' }, [0]],
    [{ column: 'nested.deep', equals: 'x' }, [0]],
    [{ column: 'nested.deep', exists: false }, [1, 2]],
    [{ rows: { to: 2 } }, [0, 1]],
    [{ rows: { from: 2 } }, [2]],
    [{ rows: { from: 1, to: 2 } }, [1]],
    [{ rows: {} }, [0, 1, 2]],
  ])('%j keeps rows %j', (filter, wanted) => {
    expect(kept(filter)).toEqual(wanted);
  });

  it('keeps what passes all filters, and names what cannot be compared', () => {
    expect(kept({ column: 'text', exists: true }, { column: 'count', notEquals: 0 })).toEqual([0]);
    expect(kept({ column: 'text', exists: true }, { rows: { from: 1 } })).toEqual([1]);
    expect(sieve(source, [{ column: 'nested.deep' }, { column: 'text' }]).columns).toEqual([
      'nested',
      'text',
    ]);
    expect(() => kept({ column: 'count', matches: '5' })).toThrow('row 0, filter on count: expected text');
    expect(() => kept({ column: 'count', notMatches: '5' })).toThrow('row 0, filter on count: expected text');
    expect(() => kept({ column: 'text', notMatches: '(' })).toThrow('expected a regular expression');
    expect(() => kept({ column: 'text', matches: '(' })).toThrow('expected a regular expression');
    expect(() => kept({ column: 'txt', exists: true })).toThrow('columns text, list');
  });
});
