/** @file Paints at most ten times a second, and only when something is new. */

const INTERVAL_MILLISECONDS = 100;

/** @returns asks for `paint`, soon */
export function repainter(paint) {
  let pending = false;
  let painted = 0;
  return () => {
    if (pending) return;
    pending = true;
    const wait = Math.max(0, INTERVAL_MILLISECONDS - (performance.now() - painted));
    const now = () => {
      pending = false;
      painted = performance.now();
      paint();
    };
    setTimeout(() => requestAnimationFrame(now), wait);
  };
}
