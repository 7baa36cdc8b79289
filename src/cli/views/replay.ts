import { remedy, type Remedy } from '../../model/remedy.js';
import { ownNumberWords, signatureWords, type RunResult } from '../../model/run-result.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatCount, formatDuration, formatRate } from '../ui/quantities.js';
import { reasonInWords } from './reasons.js';
import {
  countOf,
  faint,
  fields,
  list,
  NONE,
  numbers,
  section,
  span,
  table,
  text,
  type Block,
  type Inline,
  type Line,
  type Tone,
  type Verdict,
} from '../ui/document.js';
import { databaseLine, historyWords } from './words.js';
import { problemItems } from './problems.js';
import { AMENDMENTS, groupByReason, isPending, listFigures, listLeftOut, sumOf } from './run-figures.js';

const CONNECTIONS_SHOWN = 10;
const REASONS_SHOWN = 12;
const GAPS_SHOWN = 2;

/**
 * A run in every format. JSON and NDJSON hold exactly the run's result; one run is one line. `nothingRead` says why no
 * entry came in, where none did.
 */
export function presentRun(
  result: RunResult,
  next: readonly Remedy[],
  nothingRead = 'no entry was found',
): Presentation {
  const nothing = result.entries.read === 0;
  return {
    json: result,
    lines: [result],
    csv: {
      columns: ['subject', 'figure', 'reason', 'count'],
      rows: listFigures(result).map(({ subject, figure, reason, count }) => [subject, figure, reason, count]),
    },
    document: {
      verdict: verdictOf(result),
      blocks: [
        inputSection(result, nothingRead),
        ...(nothing || !hasItems(result) ? [] : [itemsSection(result)]),
        ...(nothing ? [] : [changesSection(result)]),
        leftOutSection(result),
        connectionsSection(result),
        eventsSection(result),
        section(`Problems (${formatCount(result.problemCount)})`, [list(problemItems(result))]),
        fields([
          ['database', databaseLine(result.database)],
          ['run', result.dryRun ? null : result.runId],
        ]),
      ],
      next,
    },
  };
}

function verdictOf(result: RunResult): Verdict {
  const { command, status, dryRun, durationMs, messages } = result;
  const rate = formatRate(messages.seen, durationMs);
  const name = `${command.replace(/^./, (letter) => letter.toUpperCase())}${dryRun ? ' (dry run)' : ''}`;
  const detail = `${formatDuration(durationMs)}${rate === undefined ? '' : `, ${rate}`}`;
  const remarks = remarksOf(result);
  switch (status) {
    case 'completed':
      return { mark: 'good', text: `${name} complete`, detail, remarks };
    case 'partial':
      return { mark: 'warn', text: `${name} finished with problems`, detail, remarks };
    case 'failed':
      return { mark: 'bad', text: `${name} failed`, detail, remarks };
    case 'interrupted':
      return {
        mark: 'stopped',
        text: dryRun ? `${name} interrupted` : `${name} interrupted; what it did is stored`,
        detail,
        remarks,
      };
  }
}

function remarksOf({ error, dryRun, resumedFrom }: RunResult): Line[] {
  const remarks: Line[] = [];
  if (error !== undefined) remarks.push(span('bad', error));
  if (dryRun) remarks.push('Dry run: nothing was written. This is what the run would do.');
  if (resumedFrom !== undefined) {
    const skipped = formatAmount(resumedFrom.entriesSkipped, 'entry', 'entries');
    remarks.push(`Resumed an earlier run at ${resumedFrom.origin} (${skipped} skipped).`);
    if (resumedFrom.problems > 0) {
      const verb = resumedFrom.problems === 1 ? 'was' : 'were';
      remarks.push(`${formatAmount(resumedFrom.problems, 'problem')} ${verb} found before it stopped.`);
    }
  }
  return remarks;
}

type Part = readonly [count: number, words: string, tone?: Tone];

/** `201 stored, 13 already imported`; what is zero is left out. */
function countList(parts: readonly Part[]): Inline[] {
  return parts
    .filter(([count]) => count > 0)
    .flatMap(([count, words, tone], index) => {
      const shown = `${formatCount(count)} ${words}`;
      return [...(index === 0 ? [] : [', ']), tone === undefined ? shown : span(tone, shown)];
    });
}

/** `214 entries read: 201 stored, 13 already imported`. */
function inputSection(
  { entries, chatterLines, signatures, dryRun, status, resumedFrom }: RunResult,
  nothingRead: string,
): Block {
  const none =
    status === 'interrupted' || status === 'failed'
      ? 'nothing yet'
      : `nothing: ${resumedFrom === undefined ? nothingRead : 'all of it was read before'}`;
  const origin = countList([
    [entries.stored, dryRun ? 'would be stored' : 'stored'],
    [entries.duplicate, 'already imported'],
  ]);
  const outcome = countList([
    [entries.processed, 'processed'],
    [entries.partial, 'partly processed', 'warn'],
    [entries.pending, 'pending', 'warn'],
    [entries.failed, 'failed', 'bad'],
    [entries.unrecognized, 'in an unknown format', 'warn'],
    [entries.ignored, 'with nothing to store'],
  ]);
  const read = span('strong', formatAmount(entries.read, 'entry', 'entries'));
  const lines: Line[] = [
    entries.read === 0 ? none : [read, ' read', ...(origin.length === 0 ? [] : [': ', ...origin])],
    ...(outcome.length === 0 ? [] : [outcome]),
    ...(signatures === undefined || entries.read === 0 ? [] : [`signatures: ${signatureWords(signatures)}`]),
    ...(chatterLines === 0 ? [] : [faint(`${formatAmount(chatterLines, 'line')} skipped (not JSON)`)]),
  ];
  return section('Input', [text(...lines)]);
}

/** Whether anything was read that has a counter: account events have none. */
function hasItems({ messages, contacts, ...result }: RunResult): boolean {
  return [messages, contacts, ...AMENDMENTS.map(({ key }) => result[key])].some(({ seen }) => seen > 0);
}

/** Items of entries that are pending: no rule has skipped them, they are still to come. */
function waitingOf({ skipped }: Pick<RunResult['contacts'], 'skipped'>): number {
  return Object.entries(skipped).reduce((sum, [reason, count]) => sum + (isPending(reason) ? count : 0), 0);
}

/** What every item became, in columns. */
function itemsSection(result: RunResult): Block {
  const { messages, contacts, dryRun } = result;
  type Counts = Pick<RunResult['contacts'], 'skipped' | 'rejected'>;
  const leftOut = (counts: Counts, pending = 0): Line[] => [
    countOf(pending + waitingOf(counts)),
    countOf(sumOf(counts.skipped) - waitingOf(counts)),
    countOf(sumOf(counts.rejected), 'warn'),
  ];
  const rows: Line[][] = [
    [
      'messages',
      span('strong', formatCount(messages.seen)),
      countOf(messages.created, 'good'),
      countOf(messages.updated, 'good'),
      countOf(messages.unchanged),
      ...leftOut(messages),
    ],
  ];
  for (const { key } of AMENDMENTS) {
    const { seen, applied, unchanged, pending, ...rest } = result[key];
    if (seen === 0) continue;
    rows.push([
      key,
      formatCount(seen),
      NONE,
      countOf(applied, 'good'),
      countOf(unchanged),
      ...leftOut(rest, pending),
    ]);
  }
  if (contacts.seen > 0) {
    rows.push(['contacts', formatCount(contacts.seen), NONE, NONE, NONE, ...leftOut(contacts)]);
  }
  const columns = [
    '',
    ...['read', 'created', 'updated'].map(numbers),
    { ...numbers('unchanged'), optional: true },
    ...['pending', 'skipped', 'rejected'].map(numbers),
  ];
  const waits = AMENDMENTS.some(({ key }) => result[key].pending > 0);
  const waitsForConnection = [messages, contacts, ...AMENDMENTS.map(({ key }) => result[key])].some(
    (counts) => waitingOf(counts) > 0,
  );
  const why = [
    ...(waits ? ['target message not received'] : []),
    ...(waitsForConnection ? ['the connection is unknown'] : []),
  ];
  return section(dryRun ? 'Items, and what would happen' : 'Items', [
    table(columns, rows),
    text(
      ...(why.length === 0 ? [] : [faint(`pending: ${why.join(', or ')}`)]),
      ...(contacts.seen === 0 ? [] : [faint('contacts: what they change is counted as leads')]),
    ),
  ]);
}

function changesSection({ leads, conversations, tickets, ownNumberRemoved, dryRun }: RunResult): Block {
  const would = dryRun ? 'would be ' : '';
  const of = (parts: readonly Part[]): Line => {
    const shown = countList(parts);
    return shown.length === 0 ? '' : shown;
  };
  const named = fields([
    [
      'leads',
      of([
        [leads.created, `${would}created`],
        [leads.updated, `${would}updated`],
        [leads.merged, `${would}merged`],
      ]),
    ],
    ['conversations', of([[conversations.created, `${would}created`]])],
    [
      'tickets',
      of([
        [tickets.opened, `${would}opened`],
        [tickets.refreshed, `${would}refreshed`],
      ]),
    ],
  ]);
  const removed = ownNumberWords(ownNumberRemoved, `${would}removed`);
  const nothing = `no lead, conversation or ticket ${dryRun ? 'would change' : 'changed'}`;
  return section(dryRun ? 'Would be created and updated' : 'Created and updated', [
    named.fields.length === 0 && removed === null ? text(nothing) : named,
    text(...(removed === null ? [] : [removed])),
  ]);
}

function leftOutSection(result: RunResult): Block {
  const groups = groupByReason(listLeftOut(result).filter(({ outcome }) => outcome !== 'pending'));
  const more = groups.length - REASONS_SHOWN;
  return section('Skipped and rejected', [
    table(
      [numbers('count'), 'what', 'why'],
      groups.slice(0, REASONS_SHOWN).map(({ outcome, reason, parts }): Line[] => {
        const [only, second] = parts;
        const count = parts.reduce((sum, part) => sum + part.count, 0);
        const what =
          only === undefined || second !== undefined ? 'items' : count === 1 ? only.one : only.many;
        const detail = parts.map((part) => formatAmount(part.count, part.one, part.many)).join(', ');
        const words = `${what} ${outcome}`;
        return [
          formatCount(count),
          outcome === 'rejected' ? span('warn', words) : words,
          `${reasonInWords(reason)}${second === undefined ? '' : ` (${detail})`}`,
        ];
      }),
    ),
    text(...(more > 0 ? [faint(`and ${formatAmount(more, 'more reason')} (--json)`)] : [])),
  ]);
}

function connectionsSection({ connections }: RunResult): Block {
  const more = connections.length - CONNECTIONS_SHOWN;
  return section('Connections', [
    table(
      ['name', numbers('messages'), numbers('created'), 'history', 'missing chunks'],
      connections.slice(0, CONNECTIONS_SHOWN).map(({ name, registered, historySync, messages }): Line[] => {
        const gaps = historySync.missingChunks;
        const declined = historySync.status === 'declined' || historySync.status === 'failed';
        const words = historyWords(historySync);
        return [
          registered ? [name, span('good', ' (new)')] : name,
          formatCount(messages.seen),
          formatCount(messages.created),
          declined ? span('warn', words) : words,
          gaps.length === 0 ? NONE : span('warn', gapWords(gaps)),
        ];
      }),
    ),
    text(
      ...(more > 0
        ? [[faint(`and ${formatCount(more)} more: `), remedy('connection list', [], 'lists all of them')]]
        : []),
    ),
  ]);
}

/** `0/2 1/3 +17`: the first gaps, and how many more. */
function gapWords(gaps: readonly string[]): string {
  const shown = gaps.slice(0, GAPS_SHOWN).join(' ');
  return gaps.length > GAPS_SHOWN ? `${shown} +${gaps.length - GAPS_SHOWN}` : shown;
}

/** Events that make no row (rule H3); one that removes a number must not be overlooked. */
function eventsSection({ events }: RunResult): Block {
  return section('Events counted (no rows)', [
    table(
      [numbers('count'), 'event'],
      Object.entries(events)
        .filter(([, count]) => count > 0)
        .sort(([, a], [, b]) => b - a)
        .map(([name, count]) => [
          formatCount(count),
          /REMOVED|OFFBOARDED|BAN|DISABLED|VIOLATION/i.test(name) ? span('bad', name) : name,
        ]),
    ),
  ]);
}
