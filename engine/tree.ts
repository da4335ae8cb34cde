/** @file Named nested values (parameters, states, batches): flatten, map, rebuild. Knows nothing about tensors. */
import { complain } from '../foundation/index.js';

/** A leaf, or a record of trees. */
export type Tree<T> = T | { readonly [name: string]: Tree<T> };

/** Leaves by path (`adapters/layers.0.q_proj/A`), in a stable order: that of the keys. */
export function flatten<T>(tree: Tree<T>, isLeaf: (node: unknown) => node is T, prefix = ''): Map<string, T> {
  const leaves = new Map<string, T>();
  if (isLeaf(tree)) return leaves.set(prefix, tree);
  for (const [name, child] of Object.entries(tree)) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    for (const [key, leaf] of flatten(child, isLeaf, path)) leaves.set(key, leaf);
  }
  return leaves;
}

/** The same tree with every leaf replaced; `path` is as in {@link flatten}. */
export function mapTree<T, U>(
  tree: Tree<T>,
  isLeaf: (node: unknown) => node is T,
  change: (leaf: T, path: string) => U,
  prefix = '',
): Tree<U> {
  if (isLeaf(tree)) return change(tree, prefix);
  return Object.fromEntries(
    Object.entries(tree).map(([name, child]) => [
      name,
      mapTree(child, isLeaf, change, prefix === '' ? name : `${prefix}/${name}`),
    ]),
  );
}

/** A leaf by path; a missing one is an error that names the tree's keys. */
export function leafAt<T>(leaves: ReadonlyMap<string, T>, path: string, owner: string): T {
  const known = [...leaves.keys()];
  return (
    leaves.get(path) ??
    complain({
      code: 'TREE_MISSING_LEAF',
      owner,
      expected: `a tensor named ${path}`,
      got:
        known.length > 12
          ? `${known.slice(0, 12).join(', ')} and ${known.length - 12} more`
          : known.join(', ') || 'none',
      hint: 'pass every tensor that the program was traced with',
    })
  );
}

/** Rebuilds a tree from paths; a single leaf at the empty path is the tree itself. */
export function unflatten<T>(leaves: ReadonlyMap<string, T>): Tree<T> {
  const whole = leaves.get('');
  if (whole !== undefined) return whole;
  const root: Record<string, unknown> = {};
  for (const [path, leaf] of leaves) {
    const names = path.split('/');
    const last = names.pop() as string;
    const parent = names.reduce((node, name) => (node[name] ??= {}) as Record<string, unknown>, root);
    parent[last] = leaf;
  }
  return root as Tree<T>;
}
