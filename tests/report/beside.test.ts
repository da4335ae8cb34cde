/** @file Models beside each other: which experiments belong together, what they are called, where curves begin. */
import { describe, expect, it } from 'vitest';
import type { Recipe } from '../../recipes/index.js';
import { besides, experimentsOf, type RunRecord } from '../../report/index.js';
import { modelOf, runOf } from './records.js';

const metric = (step: number, directComply: number) => ({
  run: 'tiny/lat',
  sequence: step,
  time: 0,
  step,
  kind: 'evaluate',
  values: { directComply, directComplyLow: 0, directComplyHigh: 1 },
});

/** A run whose `lat` went from a share to another. */
function begunWith(model: Recipe['model'], from: number, to: number, steps = 6): RunRecord {
  const models = [
    modelOf('base', { metrics: { evaluate: [metric(0, from)] } }),
    modelOf('refusal'),
    modelOf('lat', { metrics: { evaluate: [metric(6, to)] } }),
  ];
  const run = runOf(0, models, JSON.stringify([model, steps]));
  return { ...run, recipe: { ...run.recipe, model, steps } };
}

const arm = (path: string, name: string): Recipe['model'] => ({ kind: 'run', path, arm: name });
const chapters = (...runs: RunRecord[]) => besides(experimentsOf(runs));

describe('besides', () => {
  it('tells models of one recipe apart, each from its own beginning', () => {
    const [chapter, ...others] = chapters(
      begunWith(arm('runs/x', 'base'), 0.5, 1),
      begunWith(arm('runs/x', 'lat'), 0, 0.25),
      begunWith({ kind: 'directory', path: 'runs/oracle' }, 0.1, 0.2),
      begunWith(arm('runs/x', 'base'), 0, 0, 7),
    );
    expect(others).toEqual([]);
    expect(chapter!.about).toBe('base · lat · oracle');
    const [table, figure] = chapter!.sections[0]!.blocks;
    expect(table).toMatchObject({
      caption: 'direct: complies, in % after 0, 6 steps.',
      rows: [
        ['', 'base', 'lat', 'oracle'],
        ['refusal', '–', '–', '–'],
        ['lat', '50 100', '0 25', '10 20'],
      ],
    });
    expect(figure).toMatchObject({
      legend: [{ name: 'base' }, { name: 'lat' }, { name: 'oracle' }],
      panels: [
        { title: 'lat', series: [{ colour: 0 }, { colour: 1, points: [{ x: 0, y: 0 }, { x: 6 }] }, {}] },
      ],
    });
  });

  it('calls equal arms of several runs by their runs, and says nothing about a single model', () => {
    const one = begunWith(arm('runs/x', 'lat'), 0, 1);
    expect(chapters(one, begunWith(arm('runs/y', 'lat'), 0, 1))[0]!.about).toBe('x/lat · y/lat');
    expect(chapters(one)).toEqual([]);
  });
});
