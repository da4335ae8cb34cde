/** @file Finds the PyTorch peer: a Python that can import what it needs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';

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

const PRECISIONS = ['fp32', 'bf16'] as const;

/** Where the peer computes, and in what: float32 without TF32, or bfloat16 under autocast with frozen weights in it. */
export interface PeerSetting {
  readonly device: string;
  readonly precision: (typeof PRECISIONS)[number];
}

/** Several precisions are several comparisons. */
export interface PeerOptions {
  readonly peerDevice: string;
  readonly peerPrecision: readonly PeerSetting['precision'][];
}

/** Adds `--peer-device` and `--peer-precision`. */
export function addPeerSetting(command: Command): Command {
  return command
    .option('--peer-device <name>', 'where PyTorch runs: cpu, cuda, cuda:1', 'cpu')
    .option(
      '--peer-precision <names>',
      'what it computes in: fp32, bf16, or both, in two comparisons: fp32,bf16',
      precisions,
      ['fp32'],
    );
}

function precisions(text: string): PeerSetting['precision'][] {
  return text.split(',').map((name) => {
    const known = PRECISIONS.find((each) => each === name);
    if (known) return known;
    throw new InvalidArgumentError(`Expected ${PRECISIONS.join(' or ')}.`);
  });
}

/** The settings that the options ask for. */
export function settingsOf({ peerDevice, peerPrecision }: PeerOptions): PeerSetting[] {
  return peerPrecision.map((precision) => ({ device: peerDevice, precision }));
}

/** As `peer/step.py` takes it. */
export function peerArgs({ device, precision }: PeerSetting): string[] {
  return ['--device', device, '--precision', precision];
}
