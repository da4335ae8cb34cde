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
  readonly on?: string;
  readonly peak_device_mb?: number;
}

export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The outcome of a configuration; without `peer`, no PyTorch was there. */
export interface Comparison {
  readonly name: string;
  readonly shapes: Shapes;
  readonly latstream: SideFigures;
  readonly peer?: SideFigures;
  /** latstream's seconds / the peer's, pair by pair. */
  readonly ratio?: Ratio;
  readonly memory_ratio?: number;
}

/** Both caches and clocks settle before the other side starts. */
const SETTLE_MS = 300;

/** Times every side `rounds` times, one after the other; who goes first changes from round to round. */
export async function inTurns<N extends string>(
  sides: Readonly<Record<N, Pick<Side, 'time'> | undefined>>,
  rounds: number,
  settleMs = SETTLE_MS,
): Promise<Record<N, Timed[]>> {
  const names = Object.keys(sides) as N[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<N, Timed[]>;
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length] as N;
      const side = sides[name];
      if (!side) continue;
      await pause(settleMs);
      times[name].push(await side.time());
    }
  return times;
}

/** Median and range of one side's seconds / another's, round by round. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((each, at) => each / (theirs[at] as number));
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/** Times `pairs` pairs of steps; which side goes first alternates. */
export async function interleave(
  name: string,
  shapes: Shapes,
  sides: { readonly latstream: Side; readonly peer?: Side | undefined },
  pairs: number,
  settleMs = SETTLE_MS,
): Promise<Comparison> {
  const times = await inTurns({ latstream: sides.latstream, peer: sides.peer }, pairs, settleMs);
  const latstream = figures(sides.latstream, times.latstream, shapes);
  if (!sides.peer) return { name, shapes, latstream };
  const peer = figures(sides.peer, times.peer, shapes);
  return {
    name,
    shapes,
    latstream,
    peer,
    ratio: ratioOf(latstream.all, peer.all),
    memory_ratio: latstream.peak_rss_mb / peer.peak_rss_mb,
  };
}

function figures(side: Side, times: readonly Timed[], shapes: Shapes): SideFigures {
  const all = times.map((each) => each.seconds);
  const { on, imported_rss_mb, versions } = side.ready;
  const onDevice = times.flatMap(({ peak_device_mb: megabytes }) => megabytes ?? []);
  return {
    seconds: median(all),
    all,
    peak_rss_mb: Math.max(...times.map((each) => each.peak_rss_mb)),
    imported_rss_mb,
    tokens_per_second: Math.round(tokensOf(shapes) / median(all)),
    versions,
    ...(on !== undefined && { on }),
    ...(onDevice.length > 0 && { peak_device_mb: Math.max(...onDevice) }),
  };
}

/** Tokens of one step's data, each counted once: a pair's prompt and both completions, and the benign rows. */
export function tokensOf({ kind, batch, prompt, completion }: Shapes): number {
  if (kind === 'gradient') return batch * (prompt + completion);
  return batch * (prompt + 2 * completion) + batch * (prompt + completion);
}
