/** @file What both pages have is written once: their sections, and their style. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pageFiles, viewerAssets } from '../../monitor/assets.js';

const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const idsIn = (html: string): string[] => [...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id);

/** Selectors with their declarations, one text a rule, those within `@media` among them. */
function rulesIn(css: string): string[] {
  const bare = css.replace(/\/\*.*?\*\//gs, '');
  return [...bare.matchAll(/([^{}]+)\{([^{}]*)\}/g)].flatMap(([, selectors = '', body = '']) =>
    selectors.split(',').map((each) => `${each.trim()} { ${body.trim().replace(/\s+/g, ' ')} }`),
  );
}

describe('the live page and the daemon’s', () => {
  it('have the same sections, from one file, and every id once', async () => {
    const sections = source('monitor/viewer/sections.html');
    const live = (await viewerAssets()).get('/')!.body.toString();
    const daemon = (await pageFiles('daemon', new URL('../../daemon/page.ts', import.meta.url).href)).get(
      '/index.html',
    )!;
    for (const page of [live, daemon.body.toString()]) {
      expect(page).toContain(sections);
      expect(page).not.toContain('<!--');
      expect(new Set(idsIn(page)).size).toBe(idsIn(page).length);
    }
  });

  it('have no rule of style twice, and the daemon’s changes none of the live page’s', () => {
    const [shared, own] = ['monitor/viewer/viewer.css', 'daemon/viewer/queue.css'].map((path) =>
      rulesIn(source(path)),
    );
    const selectors = new Set(shared!.map((rule) => rule.split(' {')[0]));
    expect(own!.filter((rule) => selectors.has(rule.split(' {')[0]))).toEqual([]);
    for (const rules of [shared!, own!]) expect(rules.length).toBeGreaterThan(40);
  });
});
