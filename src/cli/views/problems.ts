import type { Problem, RunResult } from '../../model/run-result.js';
import type { Format } from '../ui/formats.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { reasonInWords } from './reasons.js';
import { faint, short, span, type Item } from '../ui/document.js';

const PROBLEMS_SHOWN = 10;
const IDS_SHOWN = 3;

/** Entries that wait for their connection, and in which words: one by one they would drown everything else. */
const WAITING = new Map([
  ['unknown_connection', 'pending: unknown connection'],
  ['other_connection', 'pending: of another connection than --connection names'],
]);

/** What is wrong with single entries, with its place: the first few, and how many more there are. */
export function problemItems({ problems, problemCount, entries }: RunResult): Item[] {
  const waiting = [...WAITING].map(([reason, words]) => ({
    words,
    listed: problems.filter((problem) => problem.reason === reason),
  }));
  const others = listedOf(problems);
  const kinds = waiting.filter(({ listed }) => listed.length > 0);
  const summed = kinds.map(({ words, listed }) => ({
    words,
    listed,
    // The list ends at a hundred; the counter does not, but it knows of one kind only.
    count: kinds.length === 1 ? Math.max(entries.pending, listed.length) : listed.length,
  }));
  const told = summed.reduce((sum, { count }) => sum + count, others.length);
  return [
    ...summed.map(({ words, listed, count }) => waitingItem(words, listed, count)),
    ...others.map(problemItem),
    ...(problemCount > told
      ? [{ line: faint(`and ${formatCount(problemCount - told)} more (--json lists up to 100)`) }]
      : []),
  ];
}

/** Those that are named one by one. */
function listedOf(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ reason }) => !WAITING.has(reason)).slice(0, PROBLEMS_SHOWN);
}

/** The problems of which a form of the result shows how the item begins. */
export function problemsIn(format: Format, { problems }: Pick<RunResult, 'problems'>): readonly Problem[] {
  switch (format) {
    case 'json':
    case 'ndjson':
      return problems;
    case 'table':
    case 'markdown':
      return listedOf(problems);
    case 'csv':
    case 'openmetrics':
      return [];
  }
}

function problemItem({ origin, path, reason, excerpt }: Problem): Item {
  return {
    line: [
      span('place', `${origin}${path === '$' || path === '' ? '' : `  ${path}`}`),
      `  ${reasonInWords(reason)}`,
    ],
    under: excerpt === '' ? [] : [short(excerpt)],
  };
}

function waitingItem(words: string, listed: readonly Problem[], count: number): Item {
  const ids = [...new Set(listed.flatMap(({ excerpt }) => excerpt.split(', ')).filter((id) => id !== ''))];
  const shown = ids.slice(0, IDS_SHOWN).join(', ');
  const what = shown.startsWith('session ') ? '' : 'phone_number_id ';
  return {
    line: [span('warn', formatAmount(count, 'entry', 'entries')), ` ${words}`],
    under: [
      ...(ids.length === 0 ? [] : [faint(`${what}${shown}${ids.length > IDS_SHOWN ? ', …' : ''}`)]),
      ...listed.slice(0, 1).map(({ origin }) => faint(`first: ${origin}`)),
    ],
  };
}
