/** @file Paints at most ten times a second, the more seldom the longer it takes, and only when something is new. */

const INTERVAL_MILLISECONDS = 100;
/** For each millisecond of painting, so many for everything else, which has to read what is painted; up to a limit. */
const [REST, LONGEST_REST_MILLISECONDS] = [4, 2000];

/** @returns asks for `paint`, soon */
export function repainter(paint) {
  let pending = false;
  let next = 0;
  return () => {
    if (pending) return;
    pending = true;
    const now = () => {
      pending = false;
      const began = performance.now();
      paint();
      const ended = performance.now();
      const rest = Math.min(REST * (ended - began), LONGEST_REST_MILLISECONDS);
      next = Math.max(began + INTERVAL_MILLISECONDS, ended + rest);
    };
    setTimeout(() => requestAnimationFrame(now), Math.max(0, next - performance.now()));
  };
}
