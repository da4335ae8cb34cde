/** @file What runs were told, asked for once: recipe, streams. */
import { ask } from './api.js';

export class Descriptions {
  /** By id; null where a run has none that can be read. */
  #known = new Map();

  async read(runs) {
    const unknown = runs.filter(({ id }) => !this.#known.has(id));
    await Promise.all(
      unknown.map(async ({ id }) => {
        const description = await ask(`/runs/${id}/description`).catch((error) => {
          // Of another version's recipe is said no more; what will pass is asked again.
          if (error.code.startsWith('RECIPE')) return null;
          throw error;
        });
        this.#known.set(id, description);
      }),
    );
  }

  of(id) {
    return this.#known.get(id) ?? undefined;
  }
}
