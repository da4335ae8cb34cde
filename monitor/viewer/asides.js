/** @file What a live page shows beside its metrics: answers and log, asked for while the connection holds. */
import { Answers } from './answers.js';
import { armName } from './format.js';
import { drawLog } from './log.js';

const BEAT_MILLISECONDS = 4000;

/** Keeps them up to date. @param mark changes where there may be new answers; undefined while nobody answers */
export function showAsides(mark) {
  // What cannot be had now is asked for at the next beat.
  const answers = new Answers(
    (_, index) => get(`answers?index=${index}`),
    armName,
    () => undefined,
  );
  const round = async () => {
    const now = mark();
    if (now === undefined || document.hidden) return;
    const { lines } = await get('log');
    drawLog(lines.map(({ time, level, message }) => ({ time, level, name: 'log', text: message })));
    await answers.show([{ id: '', mark: now }]);
  };
  const beat = () => void round().catch(() => undefined);
  setInterval(beat, BEAT_MILLISECONDS);
  document.addEventListener('visibilitychange', beat);
  return beat;
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}
