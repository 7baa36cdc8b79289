import type { ConnectionReport } from '../../commands/report/types.js';
import { formatCount } from '../ui/quantities.js';
import { dayTicks } from './chart.js';
import { html, type Markup } from './markup.js';

const SLOT = 10;
const ROW = 4;
const HOURS = 24;
/** Shades besides that of no message. */
const SHADES = 5;
const GAPS_SAID = 12;

interface HeatDay {
  day: string;
  hours: number[];
  /** For each hour the connections that lacked messages. */
  gapIn: string[][];
}

/** Messages by hour and day of one connection, or of several together; null where hours were not counted. */
export function heatMap(
  connections: readonly ConnectionReport[],
  { id, title, zone }: { id: string; title: string; zone: string },
): Markup | null {
  const days = addUpHours(connections);
  const most = Math.max(0, ...days.flatMap(({ hours }) => hours));
  if (most === 0) return null;
  const [width, height] = [days.length * SLOT, HOURS * ROW];
  const gaps = gapSentences(days, connections.length > 1);
  return html`<figure class="heat">
    <div class="heat-plot">
      <div class="hours" aria-hidden="true"><i>0 h</i><i>6</i><i>12</i><i>18</i></div>
      <svg
        viewBox="0 0 ${width} ${height}"
        preserveAspectRatio="none"
        role="img"
        aria-labelledby="${id}-t ${id}-d"
      >
        <title id="${id}-t">${title}</title>
        <desc id="${id}-d">${describe(days, gaps)}</desc>
        <rect class="none" width="${width}" height="${height}" />
        ${days.map((day, index) => column(day, index, most))}
      </svg>
    </div>
    <div class="ticks heat-ticks" aria-hidden="true">${dayTicks(days)}</div>
    <figcaption>
      <span class="key"
        >0 ${Array.from({ length: SHADES }, (_, shade) => html`<i class="swatch shade s${shade + 1}"></i>`)}
        ${formatCount(most)} an hour</span
      >
      ${gaps.length > 0 && html`<span class="key"><i class="swatch gap"></i>gap: none came, some usually do</span>`}
      <span class="zone">hours in ${zone}</span>
    </figcaption>
    ${
      gaps.length > 0 &&
      html`<p class="gaps warn">
        Gaps:
        ${gaps.slice(0, GAPS_SAID).join('; ')}${gaps.length > GAPS_SAID && `; and ${gaps.length - GAPS_SAID} more days`}
      </p>`
    }
  </figure>`;
}

/** Their days are the same ones. */
function addUpHours(connections: readonly ConnectionReport[]): HeatDay[] {
  const [first] = connections;
  return (first?.hours ?? []).map(({ day }, index) => {
    const same = connections.map(({ name, hours }) => ({ name, part: hours?.[index] }));
    const each = Array.from({ length: HOURS }, (_, hour) => hour);
    return {
      day,
      hours: each.map((hour) => same.reduce((sum, { part }) => sum + (part?.hours[hour] ?? 0), 0)),
      gapIn: each.map((hour) => same.filter(({ part }) => part?.gaps.includes(hour)).map(({ name }) => name)),
    };
  });
}

function column({ day, hours, gapIn }: HeatDay, index: number, most: number): Markup {
  const x = index * SLOT + 0.4;
  return html`${hours.map((count, hour) => {
    const gap = gapIn[hour] ?? [];
    if (count === 0 && gap.length === 0) return null;
    const words = `${day} ${span(hour, hour)}: ${formatCount(count)}${gap.length > 0 ? `; gap in ${gap.join(', ')}` : ''}`;
    const shade = count === 0 ? 0 : Math.ceil(Math.sqrt(count / most) * SHADES);
    return html`<rect
      class="${gap.length > 0 ? 'gap' : 'shade'} s${shade}"
      x="${x}"
      y="${hour * ROW + 0.2}"
      width="${SLOT - 0.8}"
      height="${ROW - 0.4}"
    >
      <title>${words}</title>
    </rect>`;
  })}`;
}

/** `2026-11-19 9-14 h`, with whose gap it is where there are several connections. */
function gapSentences(days: readonly HeatDay[], several: boolean): string[] {
  return days.flatMap(({ day, gapIn }) => {
    const hours = gapIn.flatMap((names, hour) => (names.length > 0 ? [hour] : []));
    const [first, last] = [hours[0], hours.at(-1)];
    if (first === undefined || last === undefined) return [];
    const names = [...new Set(gapIn.flat())];
    return [`${day} ${spans(hours)}${several ? ` in ${names.join(', ')}` : ''}`];
  });
}

/** Hours that follow each other as one span. */
function spans(hours: readonly number[]): string {
  const parts: { from: number; to: number }[] = [];
  for (const hour of hours) {
    const last = parts.at(-1);
    if (last !== undefined && last.to === hour - 1) last.to = hour;
    else parts.push({ from: hour, to: hour });
  }
  return parts.map(({ from, to }) => span(from, to)).join(', ');
}

function span(from: number, to: number): string {
  return `${from}–${to + 1} h`;
}

function describe(days: readonly HeatDay[], gaps: readonly string[]): string {
  const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? ''];
  const busiest = days
    .flatMap(({ day, hours }) => hours.map((count, hour) => ({ day, hour, count })))
    .reduce((best, one) => (one.count > best.count ? one : best));
  return `Messages by hour and day from ${first} to ${last}. The most on ${busiest.day} ${span(busiest.hour, busiest.hour)}: ${formatCount(busiest.count)}.${gaps.length === 0 ? '' : ` Gaps: ${gaps.join('; ')}.`}`;
}
