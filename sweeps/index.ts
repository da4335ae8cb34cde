/**
 * @file Sweeps: grids over recipes, one run of a daemon's queue for each cell, and what they came to side by side.
 *
 *     const axes = axesOf(['epsilon=0.5,1', 'seed=0..4']);
 *     const plan = planOf('radii', recipe, cellsOf(axes, { zip: [], most: 1000 }));
 *     await fill(client, plan, { retry: false, priority: 0 });     // only what is missing
 *     markdownOf(documentOf(plan.name, '', await new Follower(plan).look(client)), 'figures');
 *
 * Knows no files and no terminal.
 */
export { axesOf, axisText, type Axis } from './axis.js';
export { cellsOf, cellText, type Cell, type CellOptions } from './cells.js';
export { csvOf } from './csv.js';
export { documentOf } from './document.js';
export { orderOf, type Order } from './order.js';
export { armsOf, groupsOf, hasSeeds, withoutSeed, type Group } from './outcomes.js';
export { patient } from './patient.js';
export { planOf, type Plan, type Planned } from './plan.js';
export { fill, Follower, isGoing, type RunQueue, type Standing } from './queue.js';
export { sweepRoutes } from './routes.js';
export { cellTable, checkOrder, groupTable, whyOf } from './table.js';
