/** @file A process that submits runs and moves them on without end, and says what was durable: to be killed. */
import { Store } from '../../daemon/store.js';
import type { Recipe } from '../../recipes/index.js';

const store = new Store(process.argv[2] ?? '');
const first = store.all().length;
for (let at = first; ; at++) {
  const id = `r${at}`;
  const recipe = { name: 'x', padding: 'x'.repeat(5000) } as unknown as Recipe;
  store.submit({ id, name: 'x', recipe, directory: `/${id}`, priority: at % 3 }, at);
  store.happen(id, 'start', { now: at, most: 3 });
  // Handed to the system before the next write begins.
  process.stdout.write(`${id}\n`);
}
