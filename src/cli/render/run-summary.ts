import { remedy, type Remedy } from '../../model/remedy.js';
import type { RunResult } from '../../model/run-result.js';
import type { Look } from './look.js';
import { nextLines } from './next-lines.js';
import { formatAmount, formatCount, formatDuration, formatRate } from './quantities.js';
import { reasonInWords } from './reasons.js';
import { AMENDMENTS, groupByReason, listLeftOut, sumOf } from './run-sections.js';
import { problemLines } from './run-problems.js';
import { sanitize, truncate } from './sanitize.js';
import { isNarrow, renderTable } from './table.js';

const INDENT = '  ';
const CONNECTIONS_SHOWN = 10;
const REASONS_SHOWN = 12;
const GAPS_SHOWN = 2;

/** A run as a person takes it in at a glance: what came in, what it became, what was left out and why, what to do next. */
export async function renderRunSummary(
  result: RunResult,
  next: readonly Remedy[],
  look: Look,
  nothingRead: string,
): Promise<string> {
  const nothing = result.entries.read === 0;
  const sections = [
    headline(result, look),
    entriesSection(result, look, nothingRead),
    nothing ? '' : await factsSection(result, look),
    nothing ? '' : rowsSection(result, look),
    leftOutSection(result, look),
    await connectionsSection(result, look),
    eventsSection(result, look),
    problemsSection(result, look),
    placeSection(result, look),
    nextSection(next, look),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function headline(result: RunResult, look: Look): string {
  const rate = formatRate(result.messages.seen, result.durationMs);
  const time = look.dim(`${formatDuration(result.durationMs)}${rate === undefined ? '' : `, ${rate}`}`);
  const lines = [`${verdict(result, look)}  ${time}`];
  if (result.error !== undefined) lines.push(`${INDENT}${look.red(sanitize(result.error))}`);
  if (result.dryRun) lines.push(`${INDENT}Dry run: nothing was written. This is what the run would do.`);
  const from = result.resumedFrom;
  if (from !== undefined) {
    lines.push(
      `${INDENT}Went on where an earlier run had stopped, at ${truncate(sanitize(from.origin), look.width - 50)}`,
      `${INDENT}(${formatAmount(from.entriesSkipped, 'entry', 'entries')} passed over).`,
    );
    if (from.problems > 0) {
      lines.push(
        `${INDENT}${formatAmount(from.problems, 'problem', 'problems')} had come up before the stop.`,
      );
    }
  }
  return lines.join('\n');
}

function verdict({ status, command, dryRun }: RunResult, look: Look): string {
  const name = `${sanitize(command).replace(/^./, (letter) => letter.toUpperCase())}${dryRun ? ' (dry run)' : ''}`;
  switch (status) {
    case 'completed':
      return look.bold(look.green(`✔ ${name} complete`));
    case 'partial':
      return look.bold(look.yellow(`▲ ${name} complete in part`));
    case 'failed':
      return look.bold(look.red(`✖ ${name} failed`));
    case 'interrupted':
      return look.bold(look.yellow(`■ ${name} interrupted; what it had done is stored`));
  }
}

/** `Came in   214 entries: 201 new, 13 known before`. */
function entriesSection(
  { entries, chatterLines, dryRun, status, resumedFrom }: RunResult,
  look: Look,
  nothingRead: string,
): string {
  const none =
    status === 'interrupted' || status === 'failed'
      ? 'nothing yet'
      : `nothing: ${resumedFrom === undefined ? nothingRead : 'all of it had been read before'}`;
  const origin = list([
    [entries.stored, dryRun ? 'would be stored' : 'stored'],
    [entries.duplicate, 'known before'],
  ]);
  const fate = list([
    [entries.processed, 'processed'],
    [entries.partial, 'in part', look.yellow],
    [entries.pending, 'pending', look.yellow],
    [entries.failed, 'failed', look.red],
    [entries.unrecognized, 'not recognised', look.yellow],
    [entries.ignored, 'without anything to store'],
  ]);
  const lines = [
    entries.read === 0
      ? none
      : `${look.bold(formatAmount(entries.read, 'entry', 'entries'))} read${origin === '' ? '' : `: ${origin}`}`,
  ];
  if (fate !== '') lines.push(fate);
  if (chatterLines > 0)
    lines.push(look.dim(`${formatAmount(chatterLines, 'line')} of console output without JSON passed over`));
  return section('Came in', lines, look);
}

type Paint = (text: string) => string;

/** `201 new, 13 known before`; what is zero is left out. */
function list(parts: readonly (readonly [count: number, words: string, paint?: Paint])[]): string {
  return parts
    .filter(([count]) => count > 0)
    .map(([count, words, paint]) => {
      const text = `${formatCount(count)} ${words}`;
      return paint === undefined ? text : paint(text);
    })
    .join(', ');
}

/** What every fact became, in columns. */
async function factsSection(result: RunResult, look: Look): Promise<string> {
  const { messages, contacts, dryRun } = result;
  const cell = (count: number, paint?: Paint): string =>
    count === 0 ? look.dim('–') : (paint ?? String)(formatCount(count));
  const leftOut = (counts: Pick<RunResult['contacts'], 'skipped' | 'rejected'>): string[] => [
    cell(sumOf(counts.skipped)),
    cell(sumOf(counts.rejected), look.yellow),
  ];
  const rows: string[][] = [
    [
      'messages',
      look.bold(formatCount(messages.seen)),
      cell(messages.created, look.green),
      cell(messages.updated, look.green),
      cell(messages.unchanged),
      look.dim('–'),
      ...leftOut(messages),
    ],
  ];
  for (const { key } of AMENDMENTS) {
    const counts = result[key];
    if (counts.seen === 0) continue;
    rows.push([
      key,
      formatCount(counts.seen),
      look.dim('–'),
      cell(counts.applied, look.green),
      cell(counts.unchanged),
      cell(counts.pending),
      ...leftOut(counts),
    ]);
  }
  if (contacts.seen > 0) {
    const dash = look.dim('–');
    rows.push(['contacts', formatCount(contacts.seen), dash, dash, dash, dash, ...leftOut(contacts)]);
  }
  const headings = [
    '',
    'seen',
    'new',
    'changed',
    isNarrow(look) ? 'same' : 'unchanged',
    'waiting',
    'skipped',
    'rejected',
  ];
  const table = await renderTable(
    headings.map((heading, i) => ({ heading, align: i === 0 ? 'left' : 'right' })),
    rows,
    look,
    INDENT,
  );
  const waits = AMENDMENTS.some(({ key }) => result[key].pending > 0);
  const note = waits ? `\n${INDENT}${look.dim('waiting: for the message that they are about')}` : '';
  const title = dryRun ? 'What is in it, and would happen' : 'What was in it';
  return `${look.bold(title)}\n${table}${note}`;
}

function rowsSection({ leads, conversations, tickets, dryRun }: RunResult, look: Look): string {
  const would = dryRun ? 'would be ' : '';
  const line = (name: string, parts: string): string | undefined =>
    parts === '' ? undefined : `${name.padEnd(15)}${parts}`;
  const lines = [
    line(
      'leads',
      list([
        [leads.created, `${would}created`],
        [leads.updated, `${would}updated`],
        [leads.merged, `${would}merged`],
      ]),
    ),
    line('conversations', list([[conversations.created, `${would}created`]])),
    line(
      'tickets',
      list([
        [tickets.opened, `${would}opened`],
        [tickets.refreshed, `${would}refreshed`],
      ]),
    ),
  ].filter((entry) => entry !== undefined);
  return section(
    dryRun ? 'What it would become' : 'What it became',
    lines.length > 0 ? lines : [`no lead, conversation or ticket ${dryRun ? 'would change' : 'changed'}`],
    look,
  );
}

function leftOutSection(result: RunResult, look: Look): string {
  const groups = groupByReason(listLeftOut(result));
  if (groups.length === 0) return '';
  const lines = groups.slice(0, REASONS_SHOWN).flatMap(({ fate, reason, parts }) => {
    const [only, second] = parts;
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const what = only === undefined || second !== undefined ? 'items' : count === 1 ? only.one : only.many;
    const paint = fate === 'rejected' ? look.yellow : String;
    const line = `${formatCount(count).padStart(7)}  ${paint(`${what} ${fate}`.padEnd(18))}  ${sanitize(reasonInWords(reason))}`;
    if (second === undefined) return [line];
    const detail = parts.map((part) => formatAmount(part.count, part.one, part.many)).join(', ');
    return [line, `${' '.repeat(9)}${look.dim(detail)}`];
  });
  if (groups.length > REASONS_SHOWN)
    lines.push(look.dim(`and ${groups.length - REASONS_SHOWN} more reasons (--json)`));
  return section('Left out', lines, look);
}

async function connectionsSection({ connections }: RunResult, look: Look): Promise<string> {
  if (connections.length === 0) return '';
  const rows = connections.slice(0, CONNECTIONS_SHOWN).map(({ name, registered, historySync, messages }) => {
    const gaps = historySync.missingChunks;
    const declined = historySync.status === 'declined' || historySync.status === 'failed';
    return [
      `${truncate(sanitize(name), 24)}${registered ? look.green(' (new)') : ''}`,
      formatCount(messages.seen),
      formatCount(messages.created),
      declined ? look.yellow(historyWords(historySync)) : historyWords(historySync),
      gaps.length === 0 ? look.dim('–') : look.yellow(sanitize(gapWords(gaps))),
    ];
  });
  const table = await renderTable(
    [
      { heading: 'name' },
      { heading: 'messages', align: 'right' },
      { heading: 'new', align: 'right' },
      { heading: 'history' },
      { heading: 'missing chunks' },
    ],
    rows,
    look,
    INDENT,
  );
  const more = connections.length - CONNECTIONS_SHOWN;
  const rest =
    more > 0
      ? `\n${INDENT}${look.dim(`and ${more} more: ${look.line(remedy('connection list', [], 'lists all of them'))}`)}`
      : '';
  return `${look.bold('Connections')}\n${table}${rest}`;
}

/** `syncing 42%`, `completed`, `pending consent`. */
export function historyWords(state: { status: string; progress: number | null }): string {
  const words = state.status.replaceAll('_', ' ');
  return state.status === 'syncing' && state.progress !== null ? `${words} ${state.progress}%` : words;
}

/** `0/2 1/3 +17`: the first gaps, and how many more. */
function gapWords(gaps: readonly string[]): string {
  const shown = gaps.slice(0, GAPS_SHOWN).join(' ');
  return gaps.length > GAPS_SHOWN ? `${shown} +${gaps.length - GAPS_SHOWN}` : shown;
}

/** Events that make no row (rule H3); one that takes a number away is not to be overlooked. */
function eventsSection({ events }: RunResult, look: Look): string {
  const lines = Object.entries(events)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => {
      const removal = /REMOVED|OFFBOARDED|BAN|DISABLED|VIOLATION/i.test(name);
      const words = sanitize(name);
      return `${formatCount(count).padStart(7)}  ${removal ? look.red(words) : words}`;
    });
  return lines.length === 0 ? '' : section('Events counted (no rows)', lines, look);
}

function problemsSection(result: RunResult, look: Look): string {
  const lines = problemLines(result, look);
  return lines.length === 0 ? '' : section(`Problems (${formatCount(result.problemCount)})`, lines, look);
}

function placeSection({ database, runId, dryRun }: RunResult, look: Look): string {
  const place = /^postgres/.test(database)
    ? sanitize(database)
    : `${sanitize(database)} ${look.dim('(embedded)')}`;
  const lines = [`${look.bold('Data in')}   ${place}`];
  if (!dryRun) lines.push(`${look.bold('Run')}       ${sanitize(runId)}`);
  return lines.join('\n');
}

function nextSection(next: readonly Remedy[], look: Look): string {
  return section('Next', nextLines(next, look), look);
}

function section(title: string, lines: readonly string[], look: Look): string {
  return [look.bold(title), ...lines.map((line) => `${INDENT}${line}`)].join('\n');
}
