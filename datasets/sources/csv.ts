/** @file A CSV or TSV file with a header as a source: every column is text. Knows nothing about what rows mean. */
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { complain } from '../../foundation/index.js';
import { openRecords, type Cut, type Cutter, type RecordFormat } from './records.js';
import type { Source } from './source.js';

/**
 * Opens comma-separated values as spreadsheets and pandas write them (RFC 4180: quotes around, doubled inside; newlines
 * may be quoted; either line end), UTF-8. The first record names the columns.
 * @throws DATASET_CSV with the line, where quotes or the number of fields are wrong, or two columns share a name.
 */
export function openCsv(path: string, delimiter: ',' | '\t' = ',', groupRows?: number): Promise<Source> {
  return openRecords(path, csv(delimiter), groupRows);
}

const [NEWLINE, RETURN, QUOTE] = [10, 13, 34];

/** A newline ends a record where all quotes before it are closed. */
class RecordCutter implements Cutter {
  private quoted = false;
  private blank = true;
  private lines = 1;

  constructor(private readonly cut: Cut) {}

  take(chunk: Uint8Array, offset: number): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === QUOTE) this.quoted = !this.quoted;
      if (byte !== NEWLINE) this.blank &&= byte === RETURN;
      else if (this.quoted) this.lines++;
      else this.finish(offset + at + 1);
    }
  }

  end(size: number): void {
    this.finish(size);
  }

  private finish(end: number): void {
    this.cut(end, this.blank, this.lines);
    this.blank = true;
    this.lines = 1;
  }
}

function csv(delimiter: string): RecordFormat {
  return {
    cutter: (cut) => new RecordCutter(cut),
    parse: () => [],
    header(text, owner) {
      const columns = fieldsOf(text, delimiter, `${owner}, header`)[0] ?? [];
      const twice = columns.find((name, at) => columns.indexOf(name) !== at);
      if (twice !== undefined)
        bad(`${owner}, header`, 'columns of different names', `two named ${JSON.stringify(twice)}`);
      return {
        columns,
        parse(content, { line, rows }, where) {
          const records = fieldsOf(content, delimiter, `${where}, from line ${line}`);
          if (records.length !== rows)
            bad(`${where}, from line ${line}`, `${rows} records`, `${records.length}`);
          return records.map((record, at) => {
            if (record.length !== columns.length)
              bad(
                `${where}, record ${at + 1} from line ${line}`,
                `${columns.length} fields, as the header has`,
                `${record.length}`,
              );
            return Object.fromEntries(columns.map((name, column) => [name, record[column]]));
          });
        },
      };
    },
  };
}

function fieldsOf(text: string, delimiter: string, owner: string): string[][] {
  try {
    return parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
      relax_column_count: true,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return bad(owner, 'quotes around whole fields, doubled inside', error.message, error);
  }
}

function bad(owner: string, expected: string, got: string, cause?: unknown): never {
  return complain(
    {
      code: 'DATASET_CSV',
      owner,
      expected,
      got,
      hint: 'write the file again with quotes where fields hold commas, quotes or newlines; tabs between fields need a name that ends in .tsv',
    },
    { cause },
  );
}
