import { formatAmount, formatCount } from '../ui/quantities.js';
import { weekday, type ChartDay } from '../views/day-chart.js';
import { html, type Markup } from './markup.js';

/** The chart is stretched to any width: only shapes are in it, words stand beside it as HTML. */
const HEIGHT = 100;
const SLOT = 10;
const BAR = 7.4;
/** A day with a message is never a day without a bar. */
const LEAST = 1.2;

export interface ChartWords {
  /** The only one of its kind on the page. */
  id: string;
  title: string;
  /** The zone of the days. */
  zone: string;
  /** The days of several connections together: a gap says whose it is. */
  several: boolean;
}

/**
 * Messages per day as stacked bars: inbound plain, outbound in stripes, so that they differ without color; days that stand
 * out by having none are marked. For screen readers it is one image with a title and a description; the figures themselves
 * are in a table under it.
 */
export function dayBars(days: readonly ChartDay[], words: ChartWords): Markup {
  const { id, title, zone, several } = words;
  const most = Math.max(1, ...days.map(totalOf));
  const width = days.length * SLOT;
  const gaps = days.filter(({ gapIn }) => gapIn.length > 0);
  return html`<figure class="chart">
    <div class="plot">
      <span class="axis" aria-hidden="true">${formatCount(most)}</span>
      <svg
        viewBox="0 0 ${width} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-labelledby="${id}-t ${id}-d"
      >
        <title id="${id}-t">${title}</title>
        <desc id="${id}-d">${describe(days, gaps)}</desc>
        <defs>
          <pattern id="${id}-h" width="${SLOT}" height="4" patternUnits="userSpaceOnUse">
            <rect class="hatch-ground" width="${SLOT}" height="4" />
            <rect class="hatch-line" width="${SLOT}" height="1.7" />
          </pattern>
        </defs>
        <line class="grid" x1="0" x2="${width}" y1="0.5" y2="0.5" />
        <line class="grid" x1="0" x2="${width}" y1="${HEIGHT / 2}" y2="${HEIGHT / 2}" />
        ${days.map((day, index) => dayShape(day, index, most, words))}
        <line class="ground" x1="0" x2="${width}" y1="${HEIGHT}" y2="${HEIGHT}" />
      </svg>
    </div>
    <div class="ticks" aria-hidden="true">${dayTicks(days)}</div>
    <figcaption>
      <span class="key"><i class="swatch in"></i>inbound</span>
      <span class="key"><i class="swatch out"></i>outbound</span>
      ${gaps.length > 0 && html`<span class="key"><i class="swatch gap"></i>gap: none came, some usually do</span>`}
      <span class="zone">days in ${zone}</span>
    </figcaption>
    ${dayTable(days, several)}
  </figure>`;
}

function dayShape(day: ChartDay, index: number, most: number, { id, several }: ChartWords): Markup {
  const total = totalOf(day);
  const x = round(index * SLOT + (SLOT - BAR) / 2);
  const figures = `${day.day}: ${formatCount(day.inbound)} in, ${formatCount(day.outbound)} out`;
  const gap = gapWords(day, several);
  const label = gap === '' ? figures : `${figures}; ${gap}`;
  if (total === 0) {
    const mark = html`<rect class="gap" x="${x}" y="0.5" width="${BAR}" height="${HEIGHT - 1}" />`;
    return html`<g class="day" data-day="${day.day}" data-inbound="0" data-outbound="0">
      <title>${label}</title>${day.gapIn.length > 0 && mark}</g
    >`;
  }
  const height = Math.max(LEAST, (total / most) * HEIGHT);
  const inHeight = (day.inbound / total) * height;
  const outHeight = height - inHeight;
  return html`<g
    class="day"
    data-day="${day.day}"
    data-inbound="${day.inbound}"
    data-outbound="${day.outbound}"
  >
    <title>${label}</title>
    ${
      day.outbound > 0 &&
      html`<rect
        class="out"
        x="${x}"
        y="${round(HEIGHT - height)}"
        width="${BAR}"
        height="${round(outHeight)}"
        fill="url(#${id}-h)"
      />`
    }
    ${
      day.inbound > 0 &&
      html`<rect
        class="in"
        x="${x}"
        y="${round(HEIGHT - inHeight)}"
        width="${BAR}"
        height="${round(inHeight)}"
      />`
    }
    ${day.gapIn.length > 0 && html`<rect class="gap" x="${x}" y="0.5" width="${BAR}" height="4" />`}
  </g>`;
}

function totalOf({ inbound, outbound }: Pick<ChartDay, 'inbound' | 'outbound'>): number {
  return inbound + outbound;
}

/** Whose gap it is, where the chart is of several connections. */
function gapWords({ gapIn }: ChartDay, several: boolean): string {
  if (gapIn.length === 0) return '';
  return several ? `gap in ${gapIn.join(', ')}` : 'gap';
}

function describe(days: readonly ChartDay[], gaps: readonly ChartDay[]): string {
  const inbound = days.reduce((sum, day) => sum + day.inbound, 0);
  const outbound = days.reduce((sum, day) => sum + day.outbound, 0);
  const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? ''];
  const busiest = days.reduce<ChartDay | undefined>(
    (best, day) => (best === undefined || totalOf(day) > totalOf(best) ? day : best),
    undefined,
  );
  const peak =
    busiest === undefined || totalOf(busiest) === 0
      ? ''
      : ` The most on ${busiest.day}: ${formatCount(totalOf(busiest))}.`;
  const lacking = gaps.length === 0 ? '' : ` Gaps: ${gaps.map(({ day }) => day).join(', ')}.`;
  return `${formatCount(inbound)} inbound and ${formatCount(outbound)} outbound messages from ${first} to ${last}.${peak}${lacking}`;
}

/** One place per day, so that a date stands under its bar; as many dates as a phone has room for. */
export function dayTicks(days: readonly { day: string }[]): Markup[] {
  const last = days.length - 1;
  const parts = Math.min(3, last);
  const shown = new Set(
    Array.from({ length: parts + 1 }, (_, index) => (parts === 0 ? 0 : Math.round((index * last) / parts))),
  );
  return days.map(({ day }, index) => html`<i>${shown.has(index) && html`<span>${day.slice(5)}</span>`}</i>`);
}

function dayTable(days: readonly ChartDay[], several: boolean): Markup {
  return html`<details>
    <summary>${formatAmount(days.length, 'day')} in figures</summary>
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">day</th>
          <th scope="col" class="number">in</th>
          <th scope="col" class="number">out</th>
          <th scope="col"></th>
        </tr>
      </thead>
      <tbody>
        ${[...days].reverse().map(
          (day) =>
            html`<tr>
              <th scope="row">${day.day} <span class="faint">${weekday(day.day)}</span></th>
              <td class="number">${formatCount(day.inbound)}</td>
              <td class="number">${formatCount(day.outbound)}</td>
              <td class="free"><span class="warn">${gapWords(day, several)}</span></td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
