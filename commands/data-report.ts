/** @file An inspected dataset as text: columns, bars of lengths, a sample with its loss mask, and what would be dropped. */
import type { Histogram } from '../foundation/index.js';
import type { Inspection } from '../datasets/index.js';
import { tableOf } from './run/summary.js';

type Examples = NonNullable<Inspection['examples']>;

/** Characters of a sample's part that are shown. */
const SHOWN = 600;
const BAR = 40;

/** @param colour marks what losses are taken on by colour, else by brackets. */
export function inspectionText(found: Inspection, colour = false): string {
  const { path, files, rows, groups, bytes, seen, columns, examples } = found;
  const amount = (count: number): string => count.toLocaleString('en');
  const lengths = columns.flatMap(({ name, lengths, unit }) =>
    lengths && lengths.count > 0 ? [bars(`${printable(name)}, ${unit ?? 'items'}`, lengths)] : [],
  );
  return [
    `${path}: ${amount(rows)} rows in ${amount(groups)} groups of ${amount(files)} ${files === 1 ? 'file' : 'files'}, ${size(bytes)}`,
    seen < rows
      ? `looked at a SAMPLE of ${amount(seen)} rows (whole groups, chosen at random); all figures below are of these`
      : 'looked at ALL rows',
    '',
    tableOf([
      ['column', 'type', 'nulls', 'shortest', 'mean', 'longest'],
      ...columns.map(({ name, type, nulls, lengths }) => [
        printable(name),
        type,
        amount(nulls),
        ...(lengths && lengths.count > 0
          ? [amount(lengths.least), lengths.mean.toFixed(1), amount(lengths.most)]
          : ['', '', '']),
      ]),
    ]),
    '',
    ...lengths,
    ...(examples
      ? examplesText(examples, seen, colour)
      : ['name roles with --columns, or a --preset, to see what training would make of these rows', '']),
  ].join('\n');
}

function examplesText({ kept, dropped, lengths, sample }: Examples, seen: number, colour: boolean): string[] {
  const share = (count: number): string => `${((100 * count) / Math.max(1, seen)).toFixed(1)} %`;
  return [
    tableOf([
      ['of these rows', 'count', 'share'],
      ['make examples', kept.toLocaleString('en'), share(kept)],
      ...dropped.map(({ reason, count }) => [`dropped: ${reason}`, count.toLocaleString('en'), share(count)]),
    ]),
    ...dropped
      .filter(({ first }) => first !== '')
      .map(({ reason, first }) => `  first ${reason}: ${printable(first)}`),
    '',
    ...Object.entries(lengths).map(([part, histogram]) => bars(`${part}, tokens`, histogram)),
    ...(sample.length > 0 ? [sampleTitle(sample, colour), ''] : []),
    ...sample.map((segment) => {
      const text = printable(segment.text);
      if (!segment.learned) return `${segment.part}: ${text}`;
      return `${segment.part}: ${colour ? `\u001b[32m${text}\u001b[0m` : `⟦${text}⟧`}`;
    }),
    ...(sample.length > 0 ? [''] : []),
  ];
}

function sampleTitle(sample: Examples['sample'], colour: boolean): string {
  if (!sample.some(({ learned }) => learned))
    return 'a sample (with --model: as the model sees it, with its loss mask):';
  return `a sample; losses are taken on what is ${colour ? 'green' : 'in ⟦brackets⟧'}:`;
}

function bars(title: string, { bins, count }: Histogram): string {
  const largest = Math.max(...bins.map((bin) => bin.count), 1);
  const range = ({ from, to }: Histogram['bins'][number]): string =>
    to - from <= 1 ? `${from}` : `${from}–${to - 1}`;
  const width = Math.max(...bins.map((bin) => range(bin).length));
  const lines = bins.map((bin) => {
    const bar = '█'.repeat(Math.ceil((BAR * bin.count) / largest));
    return `  ${range(bin).padStart(width)} ${bar} ${((100 * bin.count) / count).toFixed(1)} %`;
  });
  return [title, ...lines, ''].join('\n');
}

/** Control characters of a dataset stay out of the terminal; line breaks and tabs are kept. */
function printable(text: string): string {
  const cut =
    text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length - SHOWN} more characters)` : text;
  return cut.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

function size(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  return bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 10).toFixed(1)} KiB`;
}
