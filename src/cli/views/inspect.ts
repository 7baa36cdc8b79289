import type {
  Form,
  InspectedConnection,
  InspectedFile,
  InspectResult,
  ItemCounts,
  NotUnderstood,
  TimeRange,
} from '../../commands/inspect/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatBytes, formatCount } from '../ui/quantities.js';
import {
  countOf,
  faint,
  list,
  NONE,
  numbers,
  section,
  short,
  span,
  table,
  text,
  type Item,
  type Line,
  type Verdict,
} from '../ui/document.js';
import { reasonInWords } from './reasons.js';

/** So many files and reasons are shown to people; JSON has all. */
const SHOWN = 20;
const FORMS_SHOWN = 4;

/** How a file holds its entries, and what stands around their bodies. Any other step is shown by its name. */
const STEPS: Readonly<Record<string, string>> = {
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16',
  ndjson: 'NDJSON',
  values: 'JSON',
  csv: 'CSV',
  console: 'console log',
  docker: 'Docker log',
  cri: 'Kubernetes log',
  journald: 'journald',
  heroku: 'Heroku log',
  syslog_rfc5424: 'syslog',
  syslog_rfc3164: 'syslog',
  pm2: 'pm2 log',
  sql: 'SQL dump',
  compose: 'docker compose log',
  table_without_json: 'table',
  sqlite: 'SQLite database',
  chat_text: 'WhatsApp chat export',
  chat_exporter: 'WhatsApp-Chat-Exporter JSON',
};

/** What `inspect` found, in every format. `paths`: as they were typed. */
export function presentInspect(result: InspectResult, paths: readonly string[]): Presentation {
  const { files, connections, notUnderstood } = result;
  const next = nextSteps(result, paths);
  return {
    json: { ...result, remedies: next },
    lines: files,
    csv: {
      columns: [
        'file',
        'form',
        'entries',
        'messages',
        'history',
        'statuses',
        'changes',
        'contacts',
        'events',
        'skipped',
        'not_understood',
        'first',
        'last',
      ],
      rows: files.map((file) => [
        file.path,
        file.forms.map(formWords).join('; '),
        file.entries,
        file.counts.messages,
        file.counts.history,
        file.counts.statuses,
        file.counts.changes,
        file.counts.contacts,
        file.counts.events,
        file.counts.skipped,
        sumOf(file.notUnderstood),
        (file.received ?? file.items)?.first ?? null,
        (file.received ?? file.items)?.last ?? null,
      ]),
    },
    document: {
      verdict: verdictOf(result),
      blocks: [
        section('Files', [
          list(files.slice(0, SHOWN).map(fileItem)),
          text(...moreLines(files.length, 'file')),
        ]),
        section('Connections', [
          table(
            [
              'phone_number_id',
              'number',
              { heading: 'session', optional: true },
              numbers('entries'),
              numbers('messages'),
              'from',
              // The last optional column is the first to go where the terminal is narrow.
              { heading: 'to', optional: true },
              { heading: 'WABA', optional: true },
            ],
            connections.slice(0, SHOWN).map(connectionRow),
          ),
          text(...moreLines(connections.length, 'connection')),
        ]),
        section('Not understood', [
          list(notUnderstood.slice(0, SHOWN).map(reasonItem)),
          text(...moreLines(notUnderstood.length, 'reason')),
        ]),
      ],
      next,
    },
  };
}

function verdictOf({ status, entries, counts, files, notUnderstood }: InspectResult): Verdict {
  const holds = `${formatAmount(entries, 'entry', 'entries')} with ${formatAmount(counts.messages, 'message')}`;
  const place = files.length === 1 ? '' : ` in ${formatAmount(files.length, 'file')}`;
  if (status === 'interrupted') return { mark: 'stopped', text: `Interrupted after ${holds}${place}` };
  const missed = sumOf(notUnderstood);
  if (missed > 0) return { mark: 'warn', text: `${holds}${place}; ${formatCount(missed)} not understood` };
  return { mark: 'good', text: `${holds}${place}, everything understood` };
}

function fileItem(file: InspectedFile): Item {
  const { path, bytes, forms, entries, bodies, counts, received, items, skippedLines, notUnderstood } = file;
  const missed = sumOf(notUnderstood);
  const lines: Line[] = [
    ...forms.slice(0, FORMS_SHOWN).map((form): Line => formLine(form, forms.length)),
    ...(forms.length > FORMS_SHOWN
      ? [faint(`and ${formatCount(forms.length - FORMS_SHOWN)} more forms`)]
      : []),
    itemWords(entries, bodies, counts),
  ];
  if (received !== null) lines.push(`received ${rangeWords(received)}`);
  if (items !== null) lines.push(`sent ${rangeWords(items)}`);
  if (skippedLines > 0) lines.push(faint(`${formatAmount(skippedLines, 'line')} skipped (no entry in them)`));
  if (missed > 0) lines.push(span('warn', `${formatCount(missed)} not understood`));
  return {
    mark: missed > 0 || entries === 0 ? 'warn' : 'good',
    line: [span('place', path), ...(bytes === null ? [] : [faint(`  ${formatBytes(bytes)}`)])],
    under: lines,
  };
}

function formLine(form: Form, forms: number): Line {
  return forms === 1
    ? formWords(form)
    : [formWords(form), faint(`  ${formatAmount(form.entries, 'entry', 'entries')}`)];
}

/** `gzip › NDJSON › payload › base64`, outermost first. */
function formWords({ steps }: Form): string {
  return steps.map((step) => STEPS[step] ?? step.replaceAll('_', ' ')).join(' › ');
}

function itemWords(entries: number, bodies: number, counts: ItemCounts): string {
  const { messages, history, statuses, changes, contacts, events, skipped, rejected } = counts;
  const parts = [
    messages === 0
      ? ''
      : `${formatAmount(messages, 'message')}${history === 0 ? '' : ` (${formatCount(history)} of the history)`}`,
    statuses === 0 ? '' : formatAmount(statuses, 'status', 'statuses'),
    changes === 0 ? '' : formatAmount(changes, 'change'),
    contacts === 0 ? '' : formatAmount(contacts, 'contact'),
    events === 0 ? '' : formatAmount(events, 'other event'),
    skipped === 0 ? '' : `${formatCount(skipped)} to skip`,
    rejected === 0 ? '' : `${formatCount(rejected)} unusable`,
  ].filter((part) => part !== '');
  const held = bodies > entries ? ` with ${formatAmount(bodies, 'body', 'bodies')}` : '';
  const sum = `${formatAmount(entries, 'entry', 'entries')}${held}`;
  return parts.length === 0 ? sum : `${sum}: ${parts.join(', ')}`;
}

function connectionRow(connection: InspectedConnection): Line[] {
  const { phoneNumberId, number, wabaId, session, entries, messages, items } = connection;
  const isNamed = [phoneNumberId, number, wabaId, session].some((name) => name !== null);
  return [
    phoneNumberId ?? (isNamed ? NONE : faint('not named')),
    number ?? NONE,
    session ?? NONE,
    countOf(entries),
    countOf(messages),
    items === null ? NONE : dayOf(items.first),
    items === null ? NONE : dayOf(items.last),
    wabaId ?? NONE,
  ];
}

function reasonItem({ reason, count, samples }: NotUnderstood): Item {
  const [first] = samples;
  const more = count - samples.length;
  return {
    line: [span('warn', formatCount(count)), `  ${reasonInWords(reason)}`],
    under: [
      ...(first?.message == null ? [] : [first.message]),
      ...samples.flatMap(({ origin, path, excerpt }): Line[] => [
        span('place', `${origin}${path === '$' || path === '' ? '' : `  ${path}`}`),
        ...(excerpt === '' ? [] : [short(excerpt)]),
      ]),
      ...(more > 0 ? [faint(`and ${formatCount(more)} more`)] : []),
    ],
  };
}

function moreLines(count: number, what: string): Line[] {
  return count > SHOWN
    ? [faint(`and ${formatAmount(count - SHOWN, `more ${what}`)} (--json lists all)`)]
    : [];
}

function rangeWords({ first, last }: TimeRange): string {
  return first === last ? minuteOf(first) : `${minuteOf(first)} to ${minuteOf(last)}`;
}

/** `2025-09-16 05:00 UTC`. */
function minuteOf(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}

function dayOf(instant: string): string {
  return instant.slice(0, 10);
}

function sumOf(reasons: readonly NotUnderstood[]): number {
  return reasons.reduce((sum, { count }) => sum + count, 0);
}

function isNamedByNothing({ phoneNumberId, number, wabaId, session }: InspectedConnection): boolean {
  return [phoneNumberId, number, wabaId, session].every((name) => name === null);
}

function nextSteps({ entries, connections }: InspectResult, paths: readonly string[]): Remedy[] {
  if (entries === 0) return [remedy('replay', ['--help'], 'lists the log formats that are read')];
  const steps: Remedy[] = [];
  const numbered = connections.some(({ phoneNumberId }) => phoneNumberId !== null);
  if (numbered) {
    steps.push(
      remedy('replay', [...paths, '--register'], 'imports it and creates the connections that it names'),
    );
  }
  if (connections.some(({ provider, phoneNumberId }) => provider === 'baileys' && phoneNumberId === null)) {
    const why = 'imports WhatsApp Web events, which name no number, into the connection NAME';
    steps.push(remedy('replay', [...paths, '--connection', 'NAME'], why));
  }
  if (steps.length === 0 && connections.some((each) => isNamedByNothing(each) && each.messages > 0)) {
    const why = 'imports entries that name no number into the connection NAME';
    steps.push(remedy('replay', [...paths, '--connection', 'NAME'], why));
  }
  return steps.length > 0
    ? steps
    : [remedy('replay', [...paths, '--dry-run'], 'shows what a replay would do')];
}
