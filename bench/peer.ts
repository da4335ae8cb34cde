/** @file Finds the PyTorch peer: a Python that can import what it needs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Where the peer is; undefined where no such Python is found. `LATSTREAM_PEER_PYTHON` names one. */
export interface Peer {
  readonly python: string;
  /** The folder of its scripts. */
  readonly scripts: string;
}

export function findPeer(root: string): Peer | undefined {
  const python = process.env['LATSTREAM_PEER_PYTHON'] ?? 'python3';
  const probe = spawnSync(python, ['-c', 'import torch, transformers, peft'], { stdio: 'ignore' });
  return probe.status === 0 ? { python, scripts: join(root, 'bench/peer') } : undefined;
}
