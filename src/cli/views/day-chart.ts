import type { DayCount } from '../../commands/report/types.js';
import type { Io } from '../io.js';
import type { Look } from '../ui/look.js';
import { formatCount } from '../ui/quantities.js';
import { cutText } from '../ui/width.js';

/** What bars are drawn with. Inbound and outbound differ in their pattern: color may be off, or not be seen. */
interface Marks {
  inbound: string;
  outbound: string;
  gap: string;
  /** From the least to the most. */
  steps: readonly string[];
  none: string;
}

const BLOCKS: Marks = {
  inbound: '█',
  outbound: '░',
  gap: '✕',
  steps: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  none: '·',
};
const ASCII: Marks = {
  inbound: '#',
  outbound: '-',
  gap: 'x',
  steps: ['.', ':', '-', '=', '+', '*', '#', '%'],
  none: ' ',
};

const WIDEST_BAR = 60;
const NARROWEST_BAR = 8;
/** ` x gap`. */
const GAP_WIDTH = 6;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;

/**
 * Whether block characters come out as such. The Linux console's font has few of them, and a locale that is said to be
 * another than UTF-8 has none; a file or a pipe takes them as they are.
 */
export function drawsBlocks(env: Io['env'], toTerminal: boolean): boolean {
  if (!toTerminal) return true;
  if (env.TERM === 'linux' || env.TERM === 'dumb') return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

/** A day of several connections together: `gapIn` names those that lacked messages. */
export interface ChartDay extends Omit<DayCount, 'gap'> {
  gapIn: string[];
}

/** Adds up the days of several connections; their days are the same ones. */
export function addUpDays(connections: readonly { name: string; days: readonly DayCount[] }[]): ChartDay[] {
  const [first] = connections;
  return (first?.days ?? []).map(({ day }, index) => {
    const same = connections.map(({ name, days }) => ({ name, count: days[index] }));
    return {
      day,
      inbound: same.reduce((sum, { count }) => sum + (count?.inbound ?? 0), 0),
      outbound: same.reduce((sum, { count }) => sum + (count?.outbound ?? 0), 0),
      gapIn: same.filter(({ count }) => count?.gap === true).map(({ name }) => name),
    };
  });
}

/**
 * One line per day with messages: its inbound and outbound messages as a bar, and their numbers; a gap is said in words. Fits any width
 * from 40 columns on. `label` shows a connection's name.
 */
export function dayChart(
  days: readonly ChartDay[],
  look: Look,
  { blocks, label }: { blocks: boolean; label: (name: string) => string },
): string[] {
  const marks = blocks ? BLOCKS : ASCII;
  const most = Math.max(1, ...days.map(({ inbound, outbound }) => inbound + outbound));
  const numbers = Math.max(
    4,
    ...days.map(({ inbound, outbound }) => Math.max(digits(inbound), digits(outbound))),
  );
  const withWeekday = look.width >= 60;
  const dateWidth = withWeekday ? 14 : 5;
  const fixed = 2 + dateWidth + 2 + numbers * 2 + 2;
  const room = look.width - fixed - 2;
  const hasGaps = days.some(({ gapIn }) => gapIn.length > 0);
  const width = Math.max(NARROWEST_BAR, Math.min(WIDEST_BAR, room - (hasGaps ? GAP_WIDTH : 0)));
  const head = [' '.repeat(dateWidth), 'in'.padStart(numbers), 'out'.padStart(numbers)].join(' ');
  return [
    look.dim(`${head}  ${marks.inbound}${marks.inbound} in  ${marks.outbound}${marks.outbound} out`),
    ...foldEmpty(days).flatMap((some) => {
      const [day, ...others] = some;
      if (day === undefined) return [];
      const last = others.at(-1);
      if (last !== undefined) {
        const [from, to] = [day.day, last.day].map((text) => (withWeekday ? text : text.slice(5)));
        return [look.dim(`${from ?? ''} – ${to ?? ''}  no messages`)];
      }
      const date = withWeekday ? `${day.day} ${weekday(day.day)}` : day.day.slice(5);
      const figures = [
        look.dim(date),
        count(day.inbound, numbers, look),
        count(day.outbound, numbers, look),
      ].join(' ');
      const length = barLength(day, width / most);
      const words = gapWords(day, marks, label, room - length);
      return [`${figures}  ${bar(day, length, marks, look)}${look.yellow(words)}`.trimEnd()];
    }),
  ];
}

/** Each day alone, and empty days in a row together: no rows of zeros. A gap is a day to be seen. */
function foldEmpty(days: readonly ChartDay[]): ChartDay[][] {
  const isEmpty = ({ inbound, outbound, gapIn }: ChartDay): boolean =>
    inbound + outbound === 0 && gapIn.length === 0;
  const groups: ChartDay[][] = [];
  for (const day of days) {
    const before = groups.at(-1)?.at(-1);
    if (before !== undefined && isEmpty(before) && isEmpty(day)) groups.at(-1)?.push(day);
    else groups.push([day]);
  }
  return groups;
}

/** A day with a message is never a day without a bar. */
function barLength({ inbound, outbound }: ChartDay, scale: number): number {
  const total = inbound + outbound;
  return total === 0 ? 0 : Math.max(1, Math.round(total * scale));
}

function bar({ inbound, outbound }: ChartDay, length: number, marks: Marks, look: Look): string {
  if (length === 0) return '';
  // Neither direction disappears, where there is room for both.
  let ins = Math.round((inbound / (inbound + outbound)) * length);
  if (length > 1 && inbound > 0) ins = Math.max(1, ins);
  if (length > 1 && outbound > 0) ins = Math.min(length - 1, ins);
  return look.cyan(marks.inbound.repeat(ins)) + marks.outbound.repeat(length - ins);
}

function gapWords({ gapIn }: ChartDay, marks: Marks, label: (name: string) => string, room: number): string {
  const [only] = gapIn;
  if (only === undefined) return '';
  const where = gapIn.length === 1 ? label(only) : `in ${gapIn.length} connections`;
  return cutText(` ${marks.gap} gap${where === '' ? '' : ` ${where}`}`, Math.max(GAP_WIDTH, room));
}

/** A connection's days in one line, for a list: the height is the day's messages, a mark stands for a gap. */
export function sparkline(days: readonly DayCount[], look: Look, blocks: boolean): string {
  const marks = blocks ? BLOCKS : ASCII;
  const most = Math.max(1, ...days.map(({ inbound, outbound }) => inbound + outbound));
  return days
    .map(({ inbound, outbound, gap }) => {
      const total = inbound + outbound;
      if (total === 0) return gap ? look.yellow(marks.gap) : marks.none;
      const step = Math.ceil((total / most) * marks.steps.length) - 1;
      return marks.steps[Math.max(0, step)] ?? marks.none;
    })
    .join('');
}

function count(value: number, width: number, look: Look): string {
  const text = (value === 0 ? '0' : formatCount(value)).padStart(width);
  return value === 0 ? look.dim(text) : text;
}

function digits(value: number): number {
  return formatCount(value).length;
}

/** `Mon`: of the date alone, whatever the zone. */
export function weekday(day: string): string {
  return WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '';
}
