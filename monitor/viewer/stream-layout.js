/** @file Where the parts of a graph stand: in columns from left to right, or on a narrow page in rows from top to bottom. */

const GAP = 26;
const LEAST_WIDTH = 112;
const TALL = { height: 84, gap: 14 };
const WIDE_HEIGHT = 46;
const MOST_ABREAST = 3;
/** Below and beside the parts, for what goes back. */
const MARGIN = 30;

/** @returns `{width, height, across, boxes: Map(id → {x, y, width, height, wide})}`, in pixels; `across` where it goes from left to right */
export function layOut(graph, width) {
  const ranks = ranksOf(graph);
  const each = (width - GAP * (ranks.length - 1)) / ranks.length;
  return each >= LEAST_WIDTH ? inColumns(ranks, width, each) : inRows(ranks, width);
}

/** Nodes by the number of steps that data take to them. */
function ranksOf({ nodes, edges }) {
  const forward = edges.filter(({ back }) => back === undefined);
  const rank = new Map(nodes.map(({ id }) => [id, 0]));
  // A graph of n parts without a circle is settled after n rounds.
  for (let round = 0; round < nodes.length; round++)
    for (const { from, to } of forward) rank.set(to, Math.max(rank.get(to) ?? 0, (rank.get(from) ?? 0) + 1));
  const ranks = [];
  for (const { id } of nodes) (ranks[rank.get(id)] ??= []).push(id);
  return ranks.filter((ids) => ids !== undefined);
}

function inColumns(ranks, width, each) {
  const most = Math.max(...ranks.map((ids) => ids.length));
  const height = most * (TALL.height + TALL.gap) - TALL.gap;
  const boxes = new Map();
  ranks.forEach((ids, rank) => {
    const taken = ids.length * (TALL.height + TALL.gap) - TALL.gap;
    ids.forEach((id, at) =>
      boxes.set(id, {
        x: rank * (each + GAP) + 1,
        y: 1 + (height - taken) / 2 + at * (TALL.height + TALL.gap),
        width: each - 2,
        height: TALL.height,
        wide: false,
      }),
    );
  });
  return { width, height: height + MARGIN + 2, across: true, boxes };
}

function inRows(ranks, width) {
  const boxes = new Map();
  const room = width - MARGIN;
  let y = 1;
  for (const ids of ranks)
    for (let first = 0; first < ids.length; first += MOST_ABREAST) {
      const row = ids.slice(first, first + MOST_ABREAST);
      const wide = row.length === 1;
      const height = wide ? WIDE_HEIGHT : TALL.height;
      const each = (room - 8 * (row.length - 1)) / row.length;
      row.forEach((id, at) => boxes.set(id, { x: 1 + at * (each + 8), y, width: each - 2, height, wide }));
      y += height + 18;
    }
  return { width, height: y - 16, across: false, boxes };
}

/** The path of an edge between two boxes; what goes back takes the margin. */
export function pathOf({ back }, from, to, { across, width, height }) {
  if (back !== undefined) return across ? below(back, from, to, height) : beside(back, from, to, width);
  if (across) {
    const [x1, y1, x2, y2] = [from.x + from.width, middle(from).y, to.x - 5, middle(to).y];
    const bend = (x1 + x2) / 2;
    return `M${x1},${y1} C${bend},${y1} ${bend},${y2} ${x2},${y2}`;
  }
  const [x1, y1, x2, y2] = [middle(from).x, from.y + from.height, middle(to).x, to.y - 5];
  const bend = (y1 + y2) / 2;
  return `M${x1},${y1} C${x1},${bend} ${x2},${bend} ${x2},${y2}`;
}

function below(back, from, to, height) {
  const deep = back === 'credit' ? height - 4 : height - MARGIN / 2 - 4;
  const [x1, x2] = [middle(from).x, middle(to).x + (back === 'credit' ? 0 : 12)];
  return `M${x1},${from.y + from.height} V${deep} H${x2} V${to.y + to.height + 5}`;
}

function beside(back, from, to, width) {
  const far = back === 'credit' ? width - 4 : width - MARGIN / 2 - 2;
  const [y1, y2] = [middle(from).y, middle(to).y + (back === 'credit' ? 0 : 6)];
  return `M${from.x + from.width},${y1} H${far} V${y2} H${to.x + to.width + 5}`;
}

function middle({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}
