/** @file A report as Markdown for pages that render it: tables and samples; figures as files of their own beside it. */
import type { Block, Report, SampleBlock, TableBlock } from './document.js';
import { sheet } from './sheet.js';
import { printable } from './svg.js';

export interface MarkdownReport {
  readonly text: string;
  /** Drawings by the path that the text gives. */
  readonly figures: ReadonlyMap<string, string>;
}

/** @param folder of the figures, as the text names it. */
export function markdownOf({ experiments }: Report, folder: string): MarkdownReport {
  const figures = new Map<string, string>();
  const figure = (caption: string, drawn: string): string => {
    const path = `${folder}/${figures.size + 1}.svg`;
    figures.set(path, drawn);
    return `${plain(caption)}\n\n![${plain(caption)}](${encodeURI(path)})`;
  };
  const blockText = (block: Block): string => {
    switch (block.kind) {
      case 'text':
        return plain(block.text);
      case 'code':
        return `<details><summary>${plain(block.title)}</summary>\n\n${fenced(block.text)}\n\n</details>`;
      case 'table':
        return tableText(block);
      case 'figure':
        return figure(block.caption, sheet(block));
      case 'sample':
        return sampleText(block);
    }
  };
  const parts = experiments.flatMap(({ title, about, sections }) => [
    `# ${plain(title)}`,
    plain(about),
    ...sections.flatMap((section) => [`## ${plain(section.title)}`, ...section.blocks.map(blockText)]),
  ]);
  return { text: `${parts.join('\n\n')}\n`, figures };
}

/** Text that means nothing to Markdown and to HTML. */
function plain(text: string): string {
  return printable(text)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]()#+!|~$@:-]/g, (sign) => (/[-:()+@]/.test(sign) ? sign : `\\${sign}`))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function tableText({ caption, rows: [head = [], ...rows] }: TableBlock): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(' | ')} |`;
  const rule = `| ${head.map((_, at) => (at === 0 ? ':--' : '--:')).join(' | ')} |`;
  const table = [line(head), rule, ...rows.map(line)].join('\n');
  return caption === undefined ? table : `${plain(caption)}\n\n${table}`;
}

function sampleText({ request, answers }: SampleBlock): string {
  const rows = answers.map(({ model, under, outcome, given, generated }) => [
    model,
    under,
    outcome,
    `${given === '' ? '' : `${given} … `}${generated}`,
  ]);
  return tableText({
    kind: 'table',
    caption: request,
    rows: [['model', 'attack', 'outcome', 'answer'], ...rows],
  });
}

/** A block of code that nothing in it can end. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}json\n${text}\n${fence}`;
}
