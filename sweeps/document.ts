/** @file A sweep as a report before it has a form: for each arm its picture, its means over seeds and its cells. */
import type { Report, TableBlock } from '../report/index.js';
import type { Order } from './order.js';
import { hasSeeds, type Group } from './outcomes.js';
import { pictureOf } from './picture.js';
import type { Standing } from './queue.js';
import { cellTable, groupTable } from './table.js';

const WORST = 'Incoherent: the largest share under any attack.';

/**
 * @param about what was asked for, for people.
 * @param arms as `armsOf` has them
 */
export function documentOf(
  name: string,
  about: string,
  standings: readonly Standing[],
  arms: ReadonlyMap<string, readonly Group[]>,
  order?: Order,
): Report {
  const sections = [...arms].map(([arm, groups]) => sectionOf(arm, groups, standings, order));
  const none = { title: 'Cells', blocks: [cells(standings, '', order)] };
  return {
    title: `Sweep ${name}`,
    experiments: [{ title: `Sweep ${name}`, about, sections: sections.length > 0 ? sections : [none] }],
  };
}

function sectionOf(
  arm: string,
  groups: readonly Group[],
  standings: readonly Standing[],
  order: Order | undefined,
): Report['experiments'][number]['sections'][number] {
  const seeds = hasSeeds(standings);
  const means: TableBlock = {
    kind: 'table',
    caption: `Means over seeds, with 95 % intervals by the bootstrap over seeds and requests. ${WORST}`,
    rows: groupTable(groups, arm, order),
  };
  return {
    title: arm,
    blocks: [...pictureOf(groups, arm, seeds), ...(seeds ? [means] : []), cells(standings, arm, order)],
  };
}

function cells(standings: readonly Standing[], arm: string, order: Order | undefined): TableBlock {
  return {
    kind: 'table',
    caption: `Cell by cell, with 95 % Wilson intervals. ${WORST}`,
    rows: cellTable(standings, arm, order),
  };
}
