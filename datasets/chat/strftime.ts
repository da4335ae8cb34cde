/** @file Dates as Python's `strftime` writes them in the C locale, whatever the machine's language. Local time. */

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** The directives that templates use, `%-d` (no padding) among them; others stay as they are. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (directive, bare: string, code: string) => {
    const part = PARTS[code]?.(date);
    if (part === undefined) return directive;
    if (typeof part === 'string') return part;
    return bare ? String(part.value) : String(part.value).padStart(part.width, part.fill ?? '0');
  });
}

interface Padded {
  readonly value: number;
  readonly width: number;
  readonly fill?: string;
}

const two = (value: number): Padded => ({ value, width: 2 });
const hour12 = (date: Date): Padded => two(date.getHours() % 12 || 12);
const day = (date: Date): string => DAYS[date.getDay()] as string;
const month = (date: Date): string => MONTHS[date.getMonth()] as string;

const PARTS: Readonly<Record<string, (date: Date) => Padded | string>> = {
  '%': () => '%',
  A: day,
  a: (date) => day(date).slice(0, 3),
  B: month,
  b: (date) => month(date).slice(0, 3),
  d: (date) => two(date.getDate()),
  e: (date) => ({ ...two(date.getDate()), fill: ' ' }),
  F: (date) => strftime(date, '%Y-%m-%d'),
  H: (date) => two(date.getHours()),
  I: hour12,
  j: (date) => ({
    // In universal time, where every day has 24 hours.
    value: Math.round(
      (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 0)) /
        86_400_000,
    ),
    width: 3,
  }),
  M: (date) => two(date.getMinutes()),
  m: (date) => two(date.getMonth() + 1),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  S: (date) => two(date.getSeconds()),
  T: (date) => strftime(date, '%H:%M:%S'),
  w: (date) => String(date.getDay()),
  Y: (date) => ({ value: date.getFullYear(), width: 4 }),
  y: (date) => two(date.getFullYear() % 100),
};
