/** @file Comparisons as lines for people and as files with their context under `bench/results`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison, SideFigures } from './compare.js';
import type { Context } from './context.js';
import type { GenerationComparison } from './generation.js';

/** A few lines about one configuration. */
export function describe({ name, latstream, peer, ratio, memory_ratio: memory }: Comparison): string {
  const side = (label: string, figures: SideFigures): string =>
    `  ${label.padEnd(10)} ${figures.seconds.toFixed(3).padStart(9)} s  ` +
    `${String(figures.peak_rss_mb).padStart(6)} MB peak (${figures.imported_rss_mb} MB before any work)  ` +
    `${figures.tokens_per_second} tokens/s  ${deviceMemory(figures)}` +
    [figures.on, ...Object.entries(figures.versions).flat()].join(' ').trim();
  const lines = [`${name}: median of ${latstream.all.length}`, side('latstream', latstream)];
  if (!peer || !ratio || memory === undefined)
    return [
      ...lines,
      '  no PyTorch here: set LATSTREAM_PEER_PYTHON to a Python with torch, transformers and peft',
    ].join('\n');
  const range = `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`;
  const summary = `  ratio      time ${ratio.median.toFixed(2)} (${range}), memory ${memory.toFixed(2)}`;
  return [...lines, side('PyTorch', peer), summary].join('\n');
}

function deviceMemory({ peak_device_mb: megabytes }: SideFigures): string {
  return megabytes === undefined ? '' : `${megabytes} MB on the device  `;
}

/** The same about generation. */
export function describeGeneration({ name, tokens_per_second: rates, ratio }: GenerationComparison): string {
  const lines = Object.entries(rates).map(
    ([side, rate]) => `  ${side.padEnd(12)} ${rate.toFixed(1).padStart(9)} tokens/s`,
  );
  const ratios = Object.entries(ratio).map(
    ([side, { median, min, max }]) =>
      `  time / ${side}'s: ${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`,
  );
  const missing =
    'transformers' in rates
      ? []
      : ['  no transformers here: set LATSTREAM_PEER_PYTHON to a Python that has it'];
  return [name, ...lines, ...ratios, ...missing].join('\n');
}

/** Writes `KIND_DATE.json`; returns its path. */
export function writeResults(folder: string, kind: string, context: Context, content: object): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${kind}_${context.date.slice(0, 19).replaceAll(':', '-')}.json`);
  writeFileSync(path, `${JSON.stringify({ context, ...content }, null, 2)}\n`);
  return path;
}

/** Rows of cells in columns: the first to the left, numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const texts = rows.map((row) => row.map(String));
  const width = (column: number): number => Math.max(...texts.map((row) => (row[column] ?? '').length));
  return texts
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))))
        .join('  '),
    )
    .join('\n');
}
