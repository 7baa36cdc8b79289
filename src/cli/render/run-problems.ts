import type { Problem, RunResult } from '../../model/run-result.js';
import type { Look } from './look.js';
import { formatAmount, formatCount } from './quantities.js';
import { reasonInWords } from './reasons.js';
import { sanitize, truncate } from './sanitize.js';

const PROBLEMS_SHOWN = 10;
const IDS_SHOWN = 3;
const INDENT = '  ';
/** What the sections of a summary are indented by, besides our own indent. */
const MARGIN = 4;

/** Entries that wait for their connection, and in which words: one by one they would drown everything else. */
const WAITING = new Map([
  ['unknown_connection', 'kept pending: the connection is not known yet'],
  ['other_connection', 'kept pending: of another connection than --connection names'],
]);

/** What is wrong with single entries, with its place: the first few, and how many more there are. */
export function problemLines({ problems, problemCount, entries }: RunResult, look: Look): string[] {
  const waiting = [...WAITING].map(([reason, words]) => ({
    words,
    listed: problems.filter((problem) => problem.reason === reason),
  }));
  const others = problems.filter(({ reason }) => !WAITING.has(reason)).slice(0, PROBLEMS_SHOWN);
  const kinds = waiting.filter(({ listed }) => listed.length > 0);
  const summed = kinds.map(({ words, listed }) => ({
    words,
    listed,
    // The list ends at a hundred; the counter does not, but it knows of one kind only.
    count: kinds.length === 1 ? Math.max(entries.pending, listed.length) : listed.length,
  }));
  const told = summed.reduce((sum, { count }) => sum + count, others.length);
  return [
    ...summed.flatMap(({ words, listed, count }) => waitingLines(words, listed, count, look)),
    ...others.flatMap((problem) => oneProblem(problem, look)),
    ...(problemCount > told
      ? [look.dim(`and ${formatCount(problemCount - told)} more (--json lists up to 100)`)]
      : []),
  ];
}

function oneProblem({ origin, path, reason, excerpt }: Problem, look: Look): string[] {
  const place = `${sanitize(origin)}${path === '$' || path === '' ? '' : `  ${sanitize(path)}`}`;
  const head = `${look.cyan(place)}  ${sanitize(reasonInWords(reason))}`;
  const tail = truncate(sanitize(excerpt), look.width - MARGIN);
  return tail === '' ? [head] : [head, `${INDENT}${look.dim(tail)}`];
}

function waitingLines(words: string, listed: readonly Problem[], count: number, look: Look): string[] {
  const ids = [...new Set(listed.flatMap(({ excerpt }) => excerpt.split(', ')).filter((id) => id !== ''))];
  const shown = sanitize(ids.slice(0, IDS_SHOWN).join(', '));
  return [
    `${look.yellow(formatAmount(count, 'entry', 'entries'))} ${words}`,
    ...(ids.length === 0
      ? []
      : [
          `${INDENT}${look.dim(`${shown.startsWith('session ') ? '' : 'phone_number_id '}${shown}${ids.length > IDS_SHOWN ? ', …' : ''}`)}`,
        ]),
    ...listed.slice(0, 1).map(({ origin }) => `${INDENT}${look.dim(`first: ${sanitize(origin)}`)}`),
  ];
}
