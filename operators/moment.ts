/**
 * @file Named moments of a run at which a test can kill it: `LATSTREAM_KILL_AT=checkpoint:4:state`, or
 * `attack:7+2` for the third program run after the attack of step 7 has begun. Does nothing otherwise.
 */

/** Program runs left until death; undefined while nobody is to die. */
let runsLeft: number | undefined;

/** Dies by SIGKILL, as a machine that loses power does, where the environment names this moment. */
export function moment(name: string): void {
  const [wanted, runs] = (process.env['LATSTREAM_KILL_AT'] ?? '').split('+');
  if (name !== wanted) return;
  if (runs === undefined) die();
  else runsLeft = Number(runs);
}

/** To be called before every program run. */
export function programRun(): void {
  if (runsLeft === undefined) return;
  if (runsLeft === 0) die();
  runsLeft -= 1;
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
  // The signal takes the process at its leisure; nothing may happen in between.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
