import type { ProgressEvent } from '../../context.js';
import { formatAmount, formatBytes, formatCount, formatDuration } from './quantities.js';
import { sanitize, truncate } from './sanitize.js';

interface Sample {
  at: number;
  bytes: number;
  messages: number;
}

/** All that a progress display knows; made from the events alone. Times are ms since 1970. */
export interface ProgressState {
  command: string;
  dryRun: boolean;
  startedAt: number | undefined;
  bytesRead: number;
  bytesTotal: number | undefined;
  entries: number;
  messages: number;
  origin: string | undefined;
  files: { done: number; total: number } | undefined;
  /** `3 of 15: duplicate_ids`, for work of several parts. */
  step: string | undefined;
  /** The last seconds, oldest first, for a rate that follows what is going on now. */
  samples: readonly Sample[];
  /** What an import is doing, in words, and until when it waits (ms since 1970). */
  doing: { text: string; until: number | undefined } | undefined;
  finished: boolean;
}

/** The rate is taken over this long: a shorter time jumps about, a longer one is wrong after a slow start. */
const WINDOW_MS = 10_000;
/** A batch ends many times a second; more samples than this would say nothing more. */
const SAMPLE_EVERY_MS = 250;

export const IDLE: ProgressState = {
  command: '',
  dryRun: false,
  startedAt: undefined,
  bytesRead: 0,
  bytesTotal: undefined,
  entries: 0,
  messages: 0,
  origin: undefined,
  files: undefined,
  step: undefined,
  samples: [],
  doing: undefined,
  finished: false,
};

/** The state after `event`, which came at `now`. Pure. */
export function reduceProgress(state: ProgressState, event: ProgressEvent, now: number): ProgressState {
  switch (event.event) {
    case 'opening':
      return { ...state, doing: { text: 'opening the database', until: undefined } };
    case 'opened':
      return { ...state, doing: undefined };
    case 'run_started':
      return {
        ...IDLE,
        command: event.command,
        dryRun: event.dryRun,
        startedAt: now,
        samples: [{ at: now, bytes: 0, messages: 0 }],
      };
    case 'progress':
      return {
        ...state,
        startedAt: state.startedAt ?? now,
        bytesRead: event.bytesRead,
        bytesTotal: event.bytesTotal ?? state.bytesTotal,
        entries: event.entries,
        messages: event.messages,
        origin: event.origin ?? state.origin,
        files: event.files ?? state.files,
        samples: addSample(state.samples, { at: now, bytes: event.bytesRead, messages: event.messages }),
      };
    case 'step':
      // Its figures are its own.
      return {
        ...IDLE,
        command: state.command,
        startedAt: now,
        step: `${event.number} of ${event.of}: ${event.step}`,
        samples: [{ at: now, bytes: 0, messages: 0 }],
      };
    case 'import':
      return {
        ...state,
        startedAt: state.startedAt ?? now,
        doing: {
          text: describeImportStep(event),
          until: 'waitMs' in event ? now + event.waitMs : undefined,
        },
      };
    case 'notice':
      return state;
    case 'run_finished':
      return { ...state, finished: true };
  }
}

function addSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && next.at - last.at < SAMPLE_EVERY_MS) return samples;
  return [...samples.filter((sample) => next.at - sample.at <= WINDOW_MS), next];
}

/** What a run counts that counts no messages, as long as there is nothing to count. */
const COUNTED: ReadonlyMap<string, string> = new Map([
  ['media fetch', formatAmount(0, 'file')],
  ['prune', formatAmount(0, 'entry', 'entries')],
]);

/** `42%  12.3 MB of 29.1 MB  120,000 messages  65,000/s  12.0 s left  log.ndjson:812`, at most `width` wide. */
export function describeProgress(state: ProgressState, now: number, width: number): string {
  const { bytesRead, bytesTotal, doing, files } = state;
  if (doing !== undefined) return truncate(describeDoing(doing, now), width);
  const parts: string[] = state.step === undefined ? [] : [sanitize(state.step)];
  if (files !== undefined) {
    const { done, total } = files;
    if (total > 0) parts.push(`${Math.floor((done * 100) / total)}%`);
    parts.push(`${formatCount(done)} of ${formatAmount(total, 'file')}`, formatBytes(bytesRead));
  } else if (bytesTotal !== undefined && bytesTotal > 0) {
    // Not 100% before the end: the last batch is still being stored when the last byte has been read.
    const percent = Math.min(state.finished ? 100 : 99, Math.floor((bytesRead * 100) / bytesTotal));
    parts.push(`${percent}%`, `${formatBytes(bytesRead)} of ${formatBytes(bytesTotal)}`);
  } else if (bytesRead > 0) {
    parts.push(formatBytes(bytesRead));
  }
  if (files === undefined && state.messages > 0) {
    parts.push(formatAmount(state.messages, 'message'));
  } else if (files === undefined && state.entries === 0 && state.step === undefined) {
    parts.push(COUNTED.get(state.command) ?? formatAmount(0, 'message'));
  } else if (state.entries > 0) {
    parts.push(formatAmount(state.entries, 'entry', 'entries'));
  }
  const rates = currentRates(state, now);
  if (rates !== undefined && rates.messages >= 1) parts.push(`${formatCount(rates.messages)}/s`);
  if (rates !== undefined && files !== undefined && rates.bytes >= 1)
    parts.push(`${formatBytes(rates.bytes)}/s`);
  const left = timeLeft(state, rates);
  if (left !== undefined) parts.push(`${formatDuration(left).replace('.0 s', ' s')} left`);
  const line = parts.join('  ');
  const room = width - line.length - 2;
  // The place is the first to go: the figures matter more.
  if (state.origin === undefined || room < 12) return truncate(line, width);
  return `${line}  ${truncateStart(sanitize(state.origin), room)}`;
}

/** `asked the phone for page 2 of +5511…, 14 s left`. */
function describeDoing({ text, until }: NonNullable<ProgressState['doing']>, now: number): string {
  if (until === undefined || !Number.isFinite(now)) return text;
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return `${text}, ${seconds} s left`;
}

/** One step of an import as a line for people. */
export function describeImportStep(event: Extract<ProgressEvent, { event: 'import' }>): string {
  const contact = sanitize(event.contact);
  switch (event.step) {
    case 'cache':
      return `${contact}: searching the raw log`;
    case 'connecting':
      return `${contact}: connecting to WhatsApp`;
    case 'reconnecting':
      return `${contact}: the line was lost, connecting again`;
    case 'asked':
      return `${contact}: asked the phone for page ${event.page}, waiting up to ${formatDuration(event.waitMs).replace('.0 s', ' s')}`;
    case 'checking':
      return `${contact}: checking that page ${event.page} leaves nothing out`;
    case 'answered':
      return `${contact}: the phone has answered`;
    case 'received':
      return `${contact}: received ${formatAmount(event.messages, 'message')} on page ${event.page}`;
    case 'saved':
      return `${contact}: saved ${formatAmount(event.messages, 'new or changed message', 'new or changed messages')} of page ${event.page}`;
    case 'pausing':
      return `pausing for ${formatDuration(event.waitMs).replace('.0 s', ' s')}`;
    case 'done':
      return `${contact}: ${event.outcome}`;
  }
}

interface Rates {
  bytes: number;
  messages: number;
}

/** Per second, over the window; undefined before there is anything to measure. */
function currentRates(state: ProgressState, now: number): Rates | undefined {
  const first = state.samples.at(0);
  if (first === undefined || now - first.at < SAMPLE_EVERY_MS) return undefined;
  const seconds = (now - first.at) / 1000;
  return {
    bytes: Math.max(0, state.bytesRead - first.bytes) / seconds,
    messages: Math.max(0, state.messages - first.messages) / seconds,
  };
}

/** In ms; only where the size, or the number of files, is known and the rate has settled for two seconds. */
function timeLeft(
  { bytesRead, bytesTotal, files, startedAt, samples }: ProgressState,
  rates: Rates | undefined,
): number | undefined {
  const last = samples.at(-1);
  if (startedAt === undefined || last === undefined || rates === undefined) return undefined;
  // Files that are left are taken to be as large as those that came.
  const left =
    files === undefined
      ? (bytesTotal ?? bytesRead) - bytesRead
      : files.done === 0
        ? 0
        : ((files.total - files.done) * bytesRead) / files.done;
  if (rates.bytes <= 0 || last.at - startedAt < 2000) return undefined;
  const seconds = Math.ceil(left / rates.bytes);
  return seconds <= 0 ? undefined : seconds * 1000;
}

/** Keeps the end, which tells files and lines apart. */
function truncateStart(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}
