/** @file The controls of a page, whatever it shows: so that one that is added without a test is noticed. */
import { existsSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** What names a control, and the test that uses it, as `FILE: part of its title`. */
export type Covered = Readonly<Record<string, string>>;

/** Everything in the page that can be pressed, typed into or walked through, hidden or not; those of a kind once. */
async function controlsOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const all = document.querySelectorAll('button, input, select, textarea, summary, a[href], a.live, [tabindex="0"]');
    const name = (node) => {
      const { command, choice, run } = node.dataset;
      const panel = node.closest('.panel');
      if (node.id) return '#' + node.id;
      if (command) return command;
      if (run) return 'arm';
      if (choice) return 'choice of a panel';
      if (node.tagName === 'SELECT' && panel) return 'list of a panel';
      if (node.tagName === 'SUMMARY') return 'summary of ' + (node.closest('.settings, .as-table, #workers, #details')?.className.split(' ').at(-1) ?? '?');
      if (panel) return panel.dataset.chart === 'streams' ? 'streams' : node.classList.contains('heat') ? 'heat map' : 'chart';
      const form = node.closest('#login, #confirm')?.id;
      return [form, node.closest('.outcomes, .workers')?.className.split(' ').at(-1), node.closest('.settings') && 'settings', node.closest('.priority') && 'priority', node.name || (node.tagName === 'BUTTON' && node.value) || node.type || node.className]
        .filter(Boolean).join(' ');
    };
    return [...new Set([...all].map(name))].sort();
  })()`);
}

/** Fails where the page has a control that no test uses, where one is gone, or where such a test is. */
export async function expectCovered(page: Page, folder: string, covered: Covered): Promise<void> {
  expect(await controlsOf(page)).toEqual(Object.keys(covered).sort());
  for (const [control, test] of Object.entries(covered)) {
    const [file = '', title = ''] = test.split(': ', 2);
    const path = `${folder}/${file}`;
    expect(existsSync(path) && readFileSync(path, 'utf8').includes(title), `${control}: ${test}`).toBe(true);
  }
}
