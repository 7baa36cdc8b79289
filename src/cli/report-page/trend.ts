import type { RunPoint } from '../../commands/report/types.js';
import { formatAmount, formatCount, formatDuration } from '../ui/quantities.js';
import { minute, verdictWords } from '../views/report-words.js';
import { html, type Markup } from './markup.js';

const SLOT = 10;
const BAR = 7;
const HEIGHT = 24;
/** The room of 60 runs also where there are fewer, so that bars keep their width. */
const SLOTS = 60;
/** A figure that is not zero has a bar. */
const LEAST = 1.5;

interface Strip {
  label: string;
  tone: string;
  of: (run: RunPoint) => number | null;
  words: (value: number) => string;
}

const STRIPS: readonly Strip[] = [
  { label: 'messages', tone: 'in', of: ({ messages }) => messages, words: formatCount },
  { label: 'lost', tone: 'lost', of: ({ lost }) => lost, words: formatCount },
  { label: 'duplicates', tone: 'twice', of: ({ duplicates }) => duplicates, words: formatCount },
  { label: 'duration', tone: 'span', of: ({ durationMs }) => durationMs, words: formatDuration },
];

/** What the last runs brought, found and took, and their verdicts: small bars, the newest run on the right. */
export function runTrend(trend: readonly RunPoint[]): Markup | null {
  const [first, second] = trend;
  const last = trend.at(-1);
  // One run is no trend: it is in the table of the last runs.
  if (first === undefined || second === undefined || last === undefined) return null;
  return html`<section class="card" aria-labelledby="trend">
    <h2 id="trend">Trend of the last ${formatAmount(trend.length, 'run')}</h2>
    <figure class="trend">
      ${STRIPS.map((strip) => stripRow(strip, trend))} ${verdictRow(trend)}
      <figcaption>
        <span>${minute(first.startedAt)} to ${minute(last.startedAt)} UTC, the newest on the right</span>
        <span class="key"><i class="swatch ended good"></i>clean</span>
        <span class="key"><i class="swatch ended plain"></i>completed or running, nothing checked</span>
        <span class="key"><i class="swatch ended warn"></i>degraded, partial, interrupted</span>
        <span class="key"><i class="swatch ended bad"></i>lost, failed, died</span>
      </figcaption>
    </figure>
  </section>`;
}

function stripRow({ label, tone, of, words }: Strip, trend: readonly RunPoint[]): Markup {
  const values = trend.map(of);
  const known = values.filter((value) => value !== null);
  const most = Math.max(0, ...known);
  const newest = known.at(-1);
  const said = newest === undefined ? '–' : words(newest);
  return html`<div class="strip">
    <span class="label">${label}</span>
    ${plot(
      `${label}: the newest ${said}, at most ${words(most)}`,
      values.map((value, index) =>
        value === null || value === 0
          ? null
          : bar(trend, index, tone, Math.max(LEAST, (value / most) * HEIGHT), `${label} ${words(value)}`),
      ),
    )}
    <span class="value">${said}<small>max ${words(most)}</small></span>
  </div>`;
}

type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** The height also shows the verdict: not everyone sees the colors. */
const HEIGHTS: Readonly<Record<Tone, number>> = {
  good: HEIGHT / 3,
  plain: HEIGHT / 3,
  warn: (HEIGHT * 2) / 3,
  bad: HEIGHT,
};

/**
 * A run that completed may have found a loss: what it found outweighs how it ended. One that does not check has no verdict,
 * only its end: it is not clean because it completed.
 */
function verdictOf(run: RunPoint): { word: string; tone: Tone } {
  if ((run.lost ?? 0) > 0) return { word: 'lost', tone: 'bad' };
  switch (run.status) {
    case 'failed':
    case 'died':
      return { word: run.status, tone: 'bad' };
    case 'partial':
    case 'interrupted':
      return { word: run.status, tone: 'warn' };
    case 'running':
      return { word: run.status, tone: 'plain' };
    case 'completed':
      if (!hasVerdict(run)) return { word: run.status, tone: 'plain' };
      return (run.degraded ?? 0) > 0 ? { word: 'degraded', tone: 'warn' } : { word: 'clean', tone: 'good' };
  }
}

function hasVerdict({ lost }: RunPoint): boolean {
  return lost !== null;
}

function verdictRow(trend: readonly RunPoint[]): Markup {
  const verdicts = trend.map((run) => ({ run, ...verdictOf(run) }));
  const clean = verdicts.filter(({ tone }) => tone === 'good').length;
  const judged = trend.filter(hasVerdict).length;
  const summary = judged === 0 ? 'no run checked' : `${clean} of ${judged} clean`;
  const newest = verdicts.at(-1)?.word ?? '';
  return html`<div class="strip">
    <span class="label">verdict</span>
    ${plot(
      `verdicts: ${summary}, the newest ${newest}`,
      verdicts.map(({ run, word, tone }, index) => {
        const words = verdictWords(run);
        return bar(
          trend,
          index,
          `ended ${tone}`,
          HEIGHTS[tone],
          `${word}${words === '' ? '' : `: ${words}`}`,
        );
      }),
    )}
    <span class="value">${newest}<small>${summary}</small></span>
  </div>`;
}

function plot(title: string, bars: readonly (Markup | null)[]): Markup {
  return html`<svg
    viewBox="0 0 ${SLOTS * SLOT} ${HEIGHT}"
    preserveAspectRatio="none"
    role="img"
    aria-label="${title}"
  >
    <line class="ground" x1="0" x2="${SLOTS * SLOT}" y1="${HEIGHT}" y2="${HEIGHT}" />
    ${bars}
  </svg>`;
}

function bar(
  trend: readonly RunPoint[],
  index: number,
  tone: string,
  height: number,
  words: string,
): Markup | null {
  const run = trend[index];
  if (run === undefined) return null;
  const x = (SLOTS - trend.length + index) * SLOT + (SLOT - BAR) / 2;
  return html`<rect
    class="${tone}"
    x="${x}"
    y="${(HEIGHT - height).toFixed(1)}"
    width="${BAR}"
    height="${height.toFixed(1)}"
  >
    <title>${minute(run.startedAt)} ${run.command}: ${words}</title>
  </rect>`;
}
