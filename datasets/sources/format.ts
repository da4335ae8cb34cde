/** @file The formats of datasets by name, as recipes and options give them. */

/** How files can be read. */
export const FORMATS = ['parquet', 'arrow', 'jsonl', 'json', 'csv', 'tsv', 'text', 'paragraphs'] as const;

export type Format = (typeof FORMATS)[number];
