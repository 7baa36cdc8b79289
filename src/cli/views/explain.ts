import type { ExplainedFact, ExplainResult, Finding } from '../../commands/explain/result.js';
import { listFacts, PROBLEMS_SHOWN } from '../../commands/explain/listed-facts.js';
import type { Cell, Presentation } from '../ui/presentation.js';
import { formatAmount, formatBytes, formatCount } from '../ui/quantities.js';
import {
  faint,
  fields,
  list,
  numbers,
  section,
  span,
  table,
  text,
  type Block,
  type Inline,
  type Verdict,
} from '../ui/document.js';
import { contactBlocks } from './explain-contact.js';
import { clock, explainReason, factInWords, factItem } from './explain-facts.js';
import { journalSection, messageBlocks } from './explain-message.js';
import { explainSteps, withCommands } from './explain-next.js';

const RUNS_SHOWN = 10;

/** An explanation in every format; a line of NDJSON, and a row of CSV, is one fact. */
export function presentExplanation(result: ExplainResult, argv: readonly string[]): Presentation {
  return {
    json: withCommands(result, argv),
    lines: result.facts,
    csv: {
      columns: CSV.map(([column]) => column),
      rows: result.facts.map((fact) => CSV.map(([, of]) => of(fact))),
    },
    document: {
      verdict: verdictOf(result),
      blocks: [
        ...result.messages.flatMap(messageBlocks),
        ...(result.contact === null || !result.known ? [] : contactBlocks(result.contact)),
        entrySection(result),
        runSection(result),
        ...factSections(result),
        pendingSection(result),
        journalSection('Changes to rows with this id', result.journal),
        runsSection(result),
      ],
      next: explainSteps(result, argv),
    },
  };
}

const CSV: readonly (readonly [column: string, of: (fact: ExplainedFact) => Cell])[] = [
  ['received_at', ({ receivedAt }) => receivedAt],
  ['stored_at', ({ storedAt }) => storedAt],
  ['at', ({ at }) => at],
  ['kind', ({ kind }) => kind],
  ['how', ({ origin }) => origin],
  ['type', ({ type }) => type],
  ['direction', ({ direction }) => direction],
  ['status', ({ status }) => status],
  ['external_id', ({ externalId }) => externalId],
  ['outcome', ({ outcome }) => outcome],
  ['reason', ({ reason }) => reason],
  [
    'changes',
    ({ changes }) =>
      changes.map(({ field, from, to }) => `${field} ${from ?? '–'} → ${to ?? '–'}`).join('; '),
  ],
  ['connection', ({ connection, connectionHint }) => connection ?? connectionHint],
  ['chunk', ({ chunk }) => (chunk === null ? null : `${chunk.phase ?? '?'}/${chunk.chunkOrder ?? '?'}`)],
  ['origin', ({ entryOrigin }) => entryOrigin],
  ['path', ({ path }) => path],
  ['entry_id', ({ entryId }) => entryId],
  ['run_id', ({ runId }) => runId],
  ['message_id', ({ messageId }) => messageId],
  ['excerpt', ({ excerpt }) => excerpt],
];

function verdictOf({ verdict, findings, notices, run }: ExplainResult): Verdict {
  const ended = run === null || run.status === 'completed' ? 'good' : 'warn';
  return {
    mark: findings.length === 0 ? ended : findings.some(isGrave) ? 'bad' : 'warn',
    text: verdict,
    remarks: [
      ...findings.flatMap(({ outcome, count, reason }): Inline[][] =>
        reason === null ? [] : [[faint(`${formatCount(count)} ${outcome}:`), ` ${explainReason(reason)}`]],
      ),
      ...notices.map((notice) => span('warn', notice)),
    ],
  };
}

function isGrave({ outcome }: Finding): boolean {
  switch (outcome) {
    case 'missing':
    case 'different':
    case 'damaged':
    case 'gone':
    case 'unknown':
    case 'rejected':
    case 'unread':
      return true;
    case 'pending':
      return false;
  }
}

/** All facts of a message or an entry; of a contact only the problems. */
function factSections({ subject, facts }: ExplainResult): Block[] {
  const isContact = subject === 'contact';
  const { listed, most, perDay } = listFacts(subject, facts);
  const severalRuns = new Set(facts.map((fact) => fact.runId)).size > 1;
  const more = listed.length - most;
  const title = isContact
    ? `Not in the database (${formatCount(listed.length)} of ${formatAmount(facts.length, 'fact')} about this contact)`
    : `Facts in the raw log (${formatCount(listed.length)})`;
  const items = [
    ...listed.slice(0, most).map((fact) => factItem(fact, severalRuns)),
    ...(more > 0
      ? [{ line: faint(`and ${formatCount(more)} more (--json and --format csv list all)`) }]
      : []),
  ];
  return perDay
    ? [section(title, [dayTable(listed)], 'times are UTC'), section(`First ${most}`, [list(items)])]
    : [section(title, [list(items)], 'times are UTC')];
}

/** Problems per day. A message counts once, as in the verdict, on the day of its first copy. */
function dayTable(facts: readonly ExplainedFact[]): Block {
  const groups = new Map<string, { day: string; what: string; outcome: string; count: number }>();
  const counted = new Set<string>();
  for (const fact of facts) {
    if (fact.kind === 'message' && fact.externalId !== null) {
      const message = JSON.stringify([fact.connection, fact.externalId, fact.outcome, fact.reason]);
      if (counted.has(message)) continue;
      counted.add(message);
    }
    const day = (fact.at ?? fact.receivedAt ?? fact.storedAt).slice(0, 10);
    const what = fact.kind === 'message' ? 'messages' : factInWords(fact);
    const outcome = fact.reason === null ? fact.outcome : `${fact.outcome}: ${explainReason(fact.reason)}`;
    const key = JSON.stringify([day, what, outcome]);
    const group = groups.get(key) ?? { day, what, outcome, count: 0 };
    groups.set(key, { ...group, count: group.count + 1 });
  }
  return table(
    ['day', numbers('count'), 'what', 'outcome'],
    [...groups.values()]
      .sort((a, b) => a.day.localeCompare(b.day))
      .map(({ day, what, outcome, count }) => [day, formatCount(count), what, span('warn', outcome)]),
  );
}

function pendingSection({ pending }: ExplainResult): Block {
  const more = pending.length - PROBLEMS_SHOWN;
  return section(`Pending updates: target message not received (${formatCount(pending.length)})`, [
    list([
      ...pending.slice(0, PROBLEMS_SHOWN).map((one) => ({
        line: [
          faint(clock(one.at)),
          `  ${one.status === null ? one.kind : `${one.kind} ${one.status}`} of ${one.targetExternalId}  `,
          span('place', one.entryOrigin ?? ''),
        ],
      })),
      ...(more > 0 ? [{ line: faint(`and ${formatCount(more)} more`) }] : []),
    ]),
  ]);
}

function entrySection({ entry }: ExplainResult): Block {
  if (entry === null) return text();
  return section('Raw entry', [
    fields([
      ['id', `log:${entry.id}`],
      ['first seen in', entry.origin],
      ['received', entry.receivedAt === null ? 'unknown' : clock(entry.receivedAt)],
      ['stored', clock(entry.storedAt)],
      ['status', `${entry.status}${entry.error === null ? '' : ` (${entry.error})`}`],
      ['attempts', String(entry.attempts)],
      ['provider', entry.provider],
      ['fields', entry.fields.join(', ')],
      ['phone_number_ids', entry.phoneNumberIds.join(', ')],
      ['size', formatBytes(entry.bytes)],
      ['last run', entry.run === null ? null : `${entry.run.command} ${entry.run.id} (${entry.run.status})`],
    ]),
  ]);
}

function runSection({ run }: ExplainResult): Block {
  if (run === null) return text();
  const journaled = Object.entries(run.journaled).map(([name, count]) => `${name} ${formatCount(count)}`);
  return section('Run', [
    fields([
      ['id', run.id],
      ['command', run.command],
      ['status', run.status],
      ['started', clock(run.startedAt)],
      ['completed', run.completedAt === null ? 'no (running, or killed)' : clock(run.completedAt)],
      ['host', run.host],
      ['options', JSON.stringify(run.options)],
      ['verdict', run.verdict],
      ['error', run.error],
      ['changed rows', journaled.join(', ')],
      ['history syncs', run.syncLogs === 0 ? null : formatCount(run.syncLogs)],
    ]),
  ]);
}

function runsSection({ runs, run }: ExplainResult): Block {
  if (run !== null) return text();
  const more = runs.length - RUNS_SHOWN;
  return section('Runs that read these entries', [
    table(
      ['started (UTC)', 'command', 'status', 'run'],
      runs
        .slice(0, RUNS_SHOWN)
        .map(({ id, command, startedAt, status }) => [faint(clock(startedAt)), command, status, faint(id)]),
    ),
    text(...(more > 0 ? [faint(`and ${formatCount(more)} more`)] : [])),
  ]);
}
