/** @file The forms of a report: hostile text stays text, what was measured is there, nothing is fetched or run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metric } from '../../streams/index.js';
import { experimentsOf, htmlOf, markdownOf, reportOf, type Experiment } from '../../report/index.js';
import { answerOf, evaluationOf, modelOf, runOf } from './records.js';

function metric(step: number, kind: string, values: Record<string, number>): Metric {
  return { run: 'tiny/lat', sequence: step, time: 0, step, kind, values };
}

/** An experiment in which a model said something. */
function saying(text: string): Experiment {
  const evaluation = evaluationOf({ direct: ['comply'], 'latent[embedding; 0.5]': ['comply'] });
  const lat = modelOf('lat', {
    evaluation,
    steps: 2,
    compute: {
      seconds: 4,
      passes: { forwardPasses: 14, backwardPasses: 13, forwardTokens: 12345, backwardTokens: 11111 },
    },
    metrics: {
      evaluate: [metric(1, 'evaluate', { directComply: 1 }), metric(2, 'evaluate', { directComply: 0.5 })],
      attack: [1, 2].map((step) => metric(step, 'attack', { loss: 2, [`norm/${text}`]: 0.5, epsilon: 0.5 })),
      defend: [1, 2].map((step) => metric(step, 'defend', { loss: NaN, sft: 1 / step })),
    },
    answers: [answerOf({ request: text, generated: text, given: text, outcome: 'comply' })],
  });
  const run = {
    ...runOf(0, [modelOf('base'), modelOf('refusal'), lat]),
    directory: text,
    fingerprint: { runtime: text },
  };
  return experimentsOf([run])[0] as Experiment;
}

const hostile = fc.oneof(
  fc.constantFrom(
    '</td></table><script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '```\n# x\n</details>',
    '| a | **b** |',
    '[x](javascript:alert(1))',
    '\u202e\u0000\ud800',
    '&lt;script&gt;',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

/** The names of elements, in order. */
const elements = (html: string): string[] =>
  [...html.matchAll(/<(\/?[a-zA-Z!][\w-]*)/g)].map(([, name]) => name!.toLowerCase());

describe('htmlOf', () => {
  it('whatever models say, the page has the same elements and no script, and holds no character that is none', () => {
    const plain = elements(htmlOf(reportOf([saying('word')])));
    expect(plain).toContain('svg');
    fc.assert(
      fc.property(hostile, (text) => {
        fc.pre(text !== '');
        const html = htmlOf(reportOf([saying(text)]));
        expect(elements(html)).toEqual(plain);
        expect(html).not.toMatch(/<script|<img| on\w+="|[\u0000-\u0008\u202e]|\p{Surrogate}/u);
      }),
      { numRuns: 50 },
    );
  });

  it('draws success against iterations for each radius, and against radii for each length, where both were varied', () => {
    const grid = [0.3, 1].flatMap((radius) =>
      [4, 48].map((count) => `latent[embedding; ${radius}; ${count}]`),
    );
    const evaluation = evaluationOf(Object.fromEntries(grid.map((name) => [name, ['comply'] as const])));
    const [experiment] = experimentsOf([runOf(0, [modelOf('base', { evaluation })])]);
    const html = htmlOf(reportOf([experiment as Experiment]));
    for (const title of [
      'embedding; 4 iterations',
      'embedding; 48 iterations',
      'embedding; ε 0.3',
      'embedding; ε 1',
    ])
      expect(html).toContain(`>${title}<`);
    const plain = htmlOf(reportOf([saying('word')]));
    expect(plain).not.toContain('iterations<');
  });

  it('shows what was measured and what it took, refers to nothing outside, and draws only numbers', () => {
    const html = htmlOf(reportOf([saying('word')]));
    for (const text of [
      '100.0 % <small>[20.7, 100.0]</small>',
      '12,345',
      '4.0 s',
      'Success against ε',
      '&quot;steps&quot;: 6',
    ])
      expect(html).toContain(text);
    expect(html).not.toMatch(/NaN|undefined|Infinity|src=|href=|url\(|@import/);
    expect(html).toBe(htmlOf(reportOf([saying('word')])));
  });
});

describe('markdownOf', () => {
  it('names its figures, keeps cells in their rows, and lets no text become markup', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { text: told, figures } = markdownOf(reportOf([saying(text)]), 'x-figures');
        expect([...figures.keys()]).toEqual(
          Array.from({ length: figures.size }, (_, at) => `x-figures/${at + 1}.svg`),
        );
        for (const [path, drawing] of figures) {
          expect(told).toContain(`](${path})`);
          expect(drawing).toMatch(/^<svg [^>]*xmlns=/);
          expect(drawing).not.toMatch(/NaN|undefined|<script/);
        }
        const outside = told.replace(/^(`{3,})json\n[\s\S]*?\n\1$/gm, '');
        const cells = (line: string): number => line.replaceAll('\\|', '').split('|').length;
        const rows = outside.split('\n').filter((line) => line.startsWith('|'));
        rows.forEach((line, at) => {
          if (at > 0 && outside.includes(`${rows[at - 1] as string}\n${line}\n`))
            expect(cells(line)).toBe(cells(rows[at - 1] as string));
        });
        expect(outside.replaceAll(/<\/?(details|summary)>/g, '')).not.toMatch(/<\w/);
        expect(outside).not.toContain('**b**');
      }),
      { numRuns: 50 },
    );
  });
});
