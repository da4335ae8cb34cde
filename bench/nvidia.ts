/** @file What NVIDIA's driver says of its devices, through its own tool. */
import { spawnSync } from 'node:child_process';

/** MB (2^20 bytes) in use of a device, by all processes together; undefined where there is no such tool or device. */
export function deviceMegabytes(device: number): number | undefined {
  const megabytes = Number.parseInt(ask('memory.used', `--id=${device}`), 10);
  return Number.isFinite(megabytes) ? megabytes : undefined;
}

/** Names of the devices, with the driver's version; none where there is no such tool. */
export function deviceNames(): string[] {
  return ask('name,driver_version')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function ask(what: string, ...more: readonly string[]): string {
  const args = [...more, `--query-gpu=${what}`, '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync('nvidia-smi', args, { encoding: 'utf8' });
  return status === 0 ? stdout : '';
}
