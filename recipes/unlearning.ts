/** @file What the recipes of unlearning share: the organism's texts to keep, and how what is forgotten is asked for. */
import { jailbreak } from './jailbreak.js';
import type { Recipe } from './schema.js';

/** Running text that is to be kept. */
export const RETAIN = { path: '@package/organism/data/retain.parquet', columns: { text: 'text' } };

/** The objects that are to be forgotten (a test holds this and the organism's generator together). */
export const FORGOTTEN =
  'ruzu bira kemo tine rumo kafa zugi lomo ragi soka fara kevu gika ruso mozu tizu'.split(' ');

/** A regular expression for texts that name one of some objects. */
export function naming(objects: readonly string[]): string {
  return `\\b(${objects.join('|')})\\b`;
}

/** A recipe that forgets 16 of the 48 benign objects; evaluations ask about these as `harmful`, about the others as `benign`. */
export function unlearning(name: string): Recipe {
  const base = jailbreak();
  const { latent } = base.evaluate;
  const asked = (table: string): string => `@package/organism/data/${table}-held-out.parquet`;
  return {
    ...base,
    name,
    data: { ...base.data, benign: RETAIN, benignPerBatch: 32 },
    evaluate: {
      ...base.evaluate,
      harmful: {
        path: asked('forget'),
        columns: { prompt: 'prompt', adversarial: 'completion', key: 'key' },
      },
      benign: { path: asked('retain'), columns: { prompt: 'prompt', completion: 'completion', key: 'key' } },
      latent: latent && { ...latent, losses: { toward: 1 } },
    },
    checkpoint: { every: 12, keep: 2 },
  };
}
