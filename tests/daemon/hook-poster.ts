/** @file Ends a run in a store whose webhook hangs, says so, and waits to be killed. Run by webhooks.test.ts. */
import { Postman } from '../../daemon/postman.js';
import { Store } from '../../daemon/store.js';
import type { Recipe } from '../../recipes/index.js';

const [path = '', url = ''] = process.argv.slice(2);
const store = new Store(path);
const postman = new Postman({ store, log: () => undefined, hooks: [{ url }] });
postman.start();
const happening = { now: Date.now(), most: 5 };
store.submit(
  { id: 'a', name: 'x', recipe: { name: 'x' } as unknown as Recipe, directory: '/x', priority: 0 },
  0,
);
store.happen('a', 'start', happening);
store.happen('a', 'finish', happening);
process.stdout.write('done\n');
setInterval(() => undefined, 1000);
