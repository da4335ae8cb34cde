/** @file Both sides of a configuration, in turn: interleaved pairs, median ratio with its range, peak memory of both. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Ready, Timed } from './serve.js';
import type { Shapes } from './shapes.js';
import type { Side } from './side.js';
import { median } from './timing.js';

/** One side's figures. */
export interface SideFigures {
  readonly seconds: number;
  readonly all: readonly number[];
  readonly peak_rss_mb: number;
  readonly imported_rss_mb: number;
  /** Tokens of pairs and benign rows that a step trains on, per second. */
  readonly tokens_per_second: number;
  readonly versions: Ready['versions'];
}

/** The outcome of a configuration; without `peer`, no PyTorch was there. */
export interface Comparison {
  readonly name: string;
  readonly shapes: Shapes;
  readonly latstream: SideFigures;
  readonly peer?: SideFigures;
  /** latstream's seconds / the peer's, pair by pair. */
  readonly ratio?: { readonly median: number; readonly min: number; readonly max: number };
  readonly memory_ratio?: number;
}

/** Both caches and clocks settle before the other side starts. */
const SETTLE_MS = 300;

/** Times `pairs` pairs of steps; which side goes first alternates. */
export async function interleave(
  name: string,
  shapes: Shapes,
  sides: { readonly latstream: Side; readonly peer?: Side | undefined },
  pairs: number,
  settleMs = SETTLE_MS,
): Promise<Comparison> {
  const times: Record<'latstream' | 'peer', Timed[]> = { latstream: [], peer: [] };
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? (['latstream', 'peer'] as const) : (['peer', 'latstream'] as const);
    for (const who of order) {
      const side = sides[who];
      if (!side) continue;
      await pause(settleMs);
      times[who].push(await side.time());
    }
  }
  const latstream = figures(sides.latstream, times.latstream, shapes);
  if (!sides.peer) return { name, shapes, latstream };
  const peer = figures(sides.peer, times.peer, shapes);
  const ratios = latstream.all.map((ours, at) => ours / (peer.all[at] as number));
  return {
    name,
    shapes,
    latstream,
    peer,
    ratio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
    memory_ratio: latstream.peak_rss_mb / peer.peak_rss_mb,
  };
}

function figures(side: Side, times: readonly Timed[], shapes: Shapes): SideFigures {
  const all = times.map((each) => each.seconds);
  return {
    seconds: median(all),
    all,
    peak_rss_mb: Math.max(...times.map((each) => each.peak_rss_mb)),
    imported_rss_mb: side.ready.imported_rss_mb,
    tokens_per_second: Math.round(tokensOf(shapes) / median(all)),
    versions: side.ready.versions,
  };
}

/** Tokens of one step's data, each counted once: a pair's prompt and both completions, and the benign rows. */
export function tokensOf({ kind, batch, prompt, completion }: Shapes): number {
  if (kind === 'gradient') return batch * (prompt + completion);
  return batch * (prompt + 2 * completion) + batch * (prompt + completion);
}
