/**
 * @file Named moments of a run at which a test can kill it: `LATSTREAM_KILL_AT=checkpoint:4:state`. Does nothing
 * otherwise.
 */

/** Dies by SIGKILL, as a machine that loses power does, where the environment names this moment. */
export function moment(name: string): void {
  if (process.env['LATSTREAM_KILL_AT'] !== name) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal takes the process at its leisure; nothing may happen in between.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
