/** @file A report as one HTML file: styles and drawings within, no script, nothing fetched. All text is escaped here. */
import { chart } from './chart.js';
import type { Block, FigureBlock, Report, SampleBlock, Section, TableBlock } from './document.js';
import { intervalChart } from './intervals.js';
import { STYLE } from './style.js';
import { element, escaped, mark } from './svg.js';

export function htmlOf({ title, experiments }: Report): string {
  const body = experiments.map(
    (each) =>
      `<header><h1>${escaped(each.title)}</h1><p class="about">${escaped(each.about)}</p></header>\n` +
      each.sections.map(sectionHtml).join('\n'),
  );
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="color-scheme" content="light dark">',
    `<title>${escaped(title)}</title>`,
    `<style>\n${STYLE}</style>`,
    '</head>',
    `<body>\n<main>\n${body.join('\n')}\n</main>\n</body>`,
    '</html>\n',
  ].join('\n');
}

function sectionHtml({ title, blocks }: Section): string {
  return `<section><h2>${escaped(title)}</h2>\n${blocks.map(blockHtml).join('\n')}\n</section>`;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p class="note">${escaped(block.text)}</p>`;
    case 'code':
      return `<details><summary>${escaped(block.title)}</summary><pre>${escaped(block.text)}</pre></details>`;
    case 'table':
      return tableHtml(block);
    case 'figure':
      return figureHtml(block);
    case 'sample':
      return sampleHtml(block);
  }
}

function tableHtml({ caption, rows: [head = [], ...rows] }: TableBlock): string {
  const cell = (text: string, at: number): string =>
    at === 0 ? `<th scope="row">${escaped(text)}</th>` : `<td>${valueHtml(text)}</td>`;
  return [
    `<figure>${caption === undefined ? '' : `<figcaption>${escaped(caption)}</figcaption>`}<div class="wide" tabindex="0"><table>`,
    `<thead><tr>${head.map((text) => `<th scope="col">${escaped(text)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</tbody></table></div></figure>`,
  ].join('\n');
}

/** An interval steps back behind what it is of. */
function valueHtml(text: string): string {
  const [, value, interval] = /^(.*) (\[[^[\]]*\])$/.exec(text) ?? [];
  if (value === undefined || interval === undefined) return escaped(text);
  return `${escaped(value)} <small>${escaped(interval)}</small>`;
}

function figureHtml({ caption, legend, panels }: FigureBlock): string {
  const names = legend.map(({ name, colour }) => {
    const swatch = element(
      'svg',
      { width: 12, height: 12, viewBox: '0 0 12 12', 'aria-hidden': 'true' },
      mark(6, 6.5, colour),
    );
    return `<li>${swatch}${escaped(name)}</li>`;
  });
  const drawn = panels.map((panel) => (panel.kind === 'chart' ? chart(panel) : intervalChart(panel)));
  return [
    `<figure><figcaption>${escaped(caption)}</figcaption>`,
    `<ul class="legend">${names.join('')}</ul>`,
    `<div class="panels">${drawn.join('\n')}</div></figure>`,
  ].join('\n');
}

function sampleHtml({ request, answers }: SampleBlock): string {
  const attacks = [...new Set(answers.map(({ under }) => under))];
  const models = [...new Set(answers.map(({ model }) => model))];
  const said = (model: string, under: string): string => {
    const found = answers.find((each) => each.model === model && each.under === under);
    if (!found) return '<td>–</td>';
    const given = found.given === '' ? '' : `<span class="given">${escaped(found.given)} …</span> `;
    const outcome = `<span class="outcome ${escaped(found.outcome)}">${escaped(found.outcome)}</span>`;
    return `<td>${outcome}<q>${given}${escaped(found.generated)}</q></td>`;
  };
  const rows = models.map(
    (model) =>
      `<tr><th scope="row">${escaped(model)}</th>${attacks.map((under) => said(model, under)).join('')}</tr>`,
  );
  const head = attacks.map((under) => `<th scope="col">${escaped(under)}</th>`).join('');
  return [
    `<article class="sample"><h3>${escaped(request)}</h3><div class="wide" tabindex="0"><table>`,
    `<thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div></article>`,
  ].join('\n');
}
