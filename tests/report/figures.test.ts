/** @file Figures beside outcomes: what each is called and counted over, and what several seeds make of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Interval } from '../../foundation/index.js';
import type { Evaluation } from '../../operators/index.js';
import { experimentsOf, figuresOf, figureText, type Figure } from '../../report/index.js';
import { figureSection } from '../../report/figures.js';
import { evaluationOf, modelOf, runOf } from './records.js';

const at = (estimate: number): Interval => ({ estimate, low: estimate, high: estimate });
/** An evaluation of everything that makes a figure. */
function whole(score: number): Evaluation {
  const evaluation = evaluationOf({ direct: ['comply', 'refuse'], latent: ['comply', 'comply'] }, [true]);
  const likelihood = { tokens: 9, crossEntropy: at(1), perplexity: at(Math.E) };
  return {
    ...evaluation,
    strongest: [
      { attack: 'latent', comply: at(1) },
      { attack: 'direct', comply: at(1) },
    ],
    benign: { ...evaluation.benign!, likelihood },
    recall: { facts: { n: 16, chance: 0.25, block: 2, accuracy: at(0.75) } },
    quality: { n: 3, scale: [1, 10], score: at(score), scores: [[score], [score], [score]] },
  };
}
const tableOf = (...scores: readonly number[]): readonly (readonly string[])[] => {
  const runs = scores.map((score, seed) => runOf(seed, [modelOf('base', { evaluation: whole(score) })]));
  const [block] = figureSection(experimentsOf(runs)[0]!)[0]!.blocks;
  return (block as { readonly rows: readonly (readonly string[])[] }).rows;
};

describe('figures of an evaluation', () => {
  it('are the best attacks, perplexity, linear probes and quality, each with what it is counted over', () => {
    expect(figuresOf(whole(7)).map(({ name, n }) => [name, n])).toEqual([
      ['best single attack', 2],
      ['best 2 attacks', 2],
      ['benign: perplexity', 1],
      ['facts: linear probe (chance 25 %)', 16],
      ['chat quality, 1 to 10', 3],
    ]);
    expect(figuresOf(evaluationOf({ direct: ['comply'] }))).toEqual([]);
  });

  it('are written with what they are figures of', () => {
    const [best, more, perplexity, probe] = figuresOf(whole(7)).map(figureText);
    expect([best, more]).toEqual(['latent 100.0 % [100.0, 100.0]', '+ direct 100.0 % [100.0, 100.0]']);
    expect(perplexity).toBe('2.72 [2.72, 2.72]');
    expect(probe).toBe('block 2: 75.0 % [75.0, 75.0]');
    expect(figureText(undefined)).toBe('–');
  });

  it('of several seeds are their mean, from the least to the greatest', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }), (scores) => {
        const row = tableOf(...scores).find(([name]) => name === 'chat quality, 1 to 10')!;
        const mean = scores.reduce((sum, each) => sum + each, 0) / scores.length;
        const value = { estimate: mean, low: Math.min(...scores), high: Math.max(...scores) };
        expect(row[1]).toBe(figureText({ value, as: 'number' } as Figure));
      }),
    ));
});
