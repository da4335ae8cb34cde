/** @file How a process that runs programs should get its memory from the C library. Read by glibc when a process starts; others ignore it. */

/**
 * Environment of such a process: one heap for all threads that keeps what it has, so that the sessions of a run reuse each
 * other's memory (an arena of the runtime belongs to one session for good), and single tensors beyond 16 MB given back at once.
 */
export const NATIVE_MEMORY = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(2 ** 23),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 31),
} as const;

/** Whether this process was started like that. The runtime's binaries for Linux all need glibc. */
export function hasNativeMemory(): boolean {
  return (
    process.platform === 'linux' &&
    process.env['MALLOC_TRIM_THRESHOLD_'] === NATIVE_MEMORY.MALLOC_TRIM_THRESHOLD_
  );
}
