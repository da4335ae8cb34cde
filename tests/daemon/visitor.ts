/** @file A browser at the page of a served daemon, in each test a new one. */
import type { Page } from 'playwright-core';
import { afterEach, beforeEach } from 'vitest';
import type { Metric } from '../../streams/index.js';
import { visitor } from '../helpers/browser.js';
import { Served } from './served.js';

type Visit = Parameters<ReturnType<typeof visitor>>[1];

export class Visitor {
  readonly #open = visitor();
  #pages: Page[] = [];
  #served: Served | undefined;

  /** In a `describe`. */
  constructor() {
    beforeEach(async () => (this.#served = await Served.start()));
    afterEach(async () => {
      await Promise.all(this.#pages.splice(0).map((page) => page.close()));
      await this.#served?.close();
    });
  }

  get served(): Served {
    if (!this.#served) throw new Error('within a test only');
    return this.#served;
  }

  /** The page, and what is wrong with it so far. @param rest of the address */
  async visit(options: Visit = {}, rest = ''): Promise<[Page, string[]]> {
    const [page, errors] = await this.#open(`${this.served.url}/${rest}`, options);
    this.#pages.push(page);
    return [page, errors];
  }

  /** The same behind the token. */
  async enter(options: Visit = {}, rest = '', token = this.served.token): Promise<[Page, string[]]> {
    const [page, errors] = await this.visit(options, rest);
    await page.fill('#token', token);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#page:not([hidden])');
    return [page, errors];
  }

  /** A run that is over, with this record. @returns its id */
  async ended(name: string, metrics: readonly Metric[]): Promise<string> {
    const { id } = this.served.submit(name, metrics);
    this.served.process(id).end({ kind: 'finish' });
    await this.served.machine.settle();
    return id;
  }
}

/** A selector within the row of a run. */
export const row = (id: string, rest = ''): string => `.run[data-id="${id}"] ${rest}`.trim();

/** A selector within a panel. */
export const panel = (name: string, rest = ''): string => `.panel[data-chart="${name}"] ${rest}`.trim();
