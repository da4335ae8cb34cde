/** @file File systems of a test's own, where it may have them: privileged users of Linux can. */
import { spawnSync } from 'node:child_process';

const tried = spawnSync('sh', [
  '-c',
  'd=$(mktemp -d) && mount -t tmpfs none "$d" && umount "$d" && rmdir "$d"',
]);

/** Whether tests that need one must be skipped. */
export const mountsMissing = tried.status !== 0;
if (mountsMissing) process.stdout.write('tests with mounts skipped: mount is not permitted here\n');

/** An empty one in place of a directory. @param options as `mount -o` takes them */
export function mountEmpty(directory: string, options: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', directory]);
  if (status !== 0) throw new Error(stderr.toString());
}

export function unmount(directory: string): void {
  spawnSync('umount', ['-l', directory]);
}
