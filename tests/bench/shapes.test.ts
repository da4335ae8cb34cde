/** @file Benchmark configurations: the ones in the repository are valid, and a wrong one says what is wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseShapes, readShapes, siteOf } from '../../bench/shapes.js';

const folder = 'bench/configs';
const tiny = JSON.parse(readFileSync(join(folder, 'tiny.json'), 'utf8')) as Record<string, unknown>;

describe('parseShapes', () => {
  it.each(readdirSync(folder))('%s names sites that its model has', (file) => {
    const shapes = readShapes(join(folder, file));
    const blocks = shapes.attack_layers.filter((layer) => layer !== 'embedding');
    expect(blocks.every((layer) => layer < shapes.layers)).toBe(true);
  });

  it('refuses a key that it does not know, by name', () => {
    expect(() => parseShapes({ ...tiny, atack_layers: [1] })).toThrow(/atack_layers/);
  });

  it.each(Object.keys(tiny).filter((key) => !['repeats', 'threads'].includes(key)))(
    'refuses a configuration without %s, by name',
    (key) => {
      const rest = Object.fromEntries(Object.entries(tiny).filter(([name]) => name !== key));
      expect(() => parseShapes(rest)).toThrow(new RegExp(key));
    },
  );

  it('keeps weights in what is computed in, unless it is told', () => {
    const kept = (more: object) => parseShapes({ ...tiny, ...more });
    expect(kept({})).toMatchObject({ precision: 'float32', weights: 'float32' });
    expect(kept({ precision: 'float16' })).toMatchObject({ precision: 'float16', weights: 'float16' });
    expect(kept({ precision: 'float16', weights: 'float32' })).toMatchObject({ weights: 'float32' });
    expect(() => kept({ precision: 'fp16' })).toThrow(/precision/);
  });

  it('names sites as the engine does', () => {
    expect(['embedding', 3].map((layer) => siteOf(layer as number))).toEqual(['embedding', 'layers.3.mlp']);
  });

  it('says which file is missing', () => {
    expect(() => readShapes('none.json')).toThrow(/none\.json.*ENOENT/);
  });
});
