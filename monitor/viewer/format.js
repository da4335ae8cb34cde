/** @file Numbers, durations and names as people read them. */

export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3 || size >= 1e6) return value.toExponential(1).replace('e+', 'e');
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

export function percent(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const hundredths = value * 100;
  return `${hundredths >= 99.95 || hundredths < 0.05 ? Math.round(hundredths) : hundredths.toFixed(1)} %`;
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** `1.2M` */
export function compact(value) {
  return COMPACT.format(value);
}

export function wholePercent(value) {
  return `${Math.round(value * 100)} %`;
}

/** Seconds as `45 s`, `12 min 3 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const units = [
    ['d', 86400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  let rest = Math.max(0, Math.round(seconds));
  const first = Math.max(
    0,
    units.findIndex(([, size]) => rest >= size),
  );
  if (rest === 0) return '0 s';
  const parts = [];
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

const SHORT = { tokensPerSecond: 'tokens/s', secondsPerStep: 's/step', residentMegabytes: 'memory, MB' };

/** `gradientNorm` → `gradient norm`; units as they are written. */
export function words(name) {
  if (name in SHORT) return SHORT[name];
  return name.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
}

/** `jailbreak/lat` → `lat`. */
export function armName(run) {
  return run.slice(run.lastIndexOf('/') + 1) || run;
}
