import type { ExplainedFact, ExplainResult, Finding } from '../../core/explain/result.js';
import type { Remedy } from '../../model/remedy.js';
import { contactSections } from './explained-contact.js';
import { clock, explainReason, factLines } from './explained-facts.js';
import { fieldLines, journalSection } from './explained-lines.js';
import { messageSections } from './explained-message.js';
import type { Look } from './look.js';
import { formatBytes, formatCount } from './quantities.js';
import { sanitize } from './sanitize.js';

const INDENT = '  ';
const FACTS_SHOWN = 40;
const EXCEPTIONS_SHOWN = 20;

/** An explanation for people: the verdict, what it is, what the log says in order, and what to do about it. */
export async function renderExplanation(
  result: ExplainResult,
  next: readonly Remedy[],
  look: Look,
): Promise<string> {
  const sections = [
    headline(result, look),
    ...result.messages.map((message) => messageSections(message, look)),
    ...(result.contact === null || !result.known ? [] : await contactSections(result.contact, look)),
    entrySection(result, look),
    runSection(result, look),
    factsSection(result, look),
    pendingSection(result, look),
    journalSection('What was done to rows with this id', result.journal, look),
    runsSection(result, look),
    nextSection(next, look),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function headline({ verdict, findings, notices }: ExplainResult, look: Look): string {
  const words = sanitize(verdict);
  const lines = [
    findings.length === 0
      ? look.bold(look.green(`✔ ${words}`))
      : look.bold((findings.some(isGrave) ? look.red : look.yellow)(`▲ ${words}`)),
  ];
  for (const { outcome, count, reason } of findings) {
    if (reason === null) continue;
    lines.push(`${INDENT}${look.dim(`${formatCount(count)} ${outcome}:`)} ${explainReason(reason)}`);
  }
  lines.push(...notices.map((notice) => `${INDENT}${look.yellow(sanitize(notice))}`));
  return lines.join('\n');
}

function isGrave({ outcome }: Finding): boolean {
  switch (outcome) {
    case 'missing':
    case 'different':
    case 'damaged':
    case 'gone':
    case 'unknown':
      return true;
    case 'pending':
    case 'rejected':
    case 'unread':
      return false;
  }
}

/** All facts of a message or an entry; of a contact only what is not in the database as it should be. */
function factsSection({ subject, facts, contact }: ExplainResult, look: Look): string {
  if (facts.length === 0) return '';
  const isContact = subject === 'contact';
  const listed = isContact ? facts.filter(isException) : facts;
  if (listed.length === 0) return '';
  const most = isContact ? EXCEPTIONS_SHOWN : FACTS_SHOWN;
  const title = isContact
    ? `Not in the database (${formatCount(listed.length)} of ${formatCount(facts.length)} facts about ${contact?.lead === null ? 'this contact' : 'them'})`
    : `What the raw log says (${formatCount(listed.length)})`;
  const more = listed.length - most;
  const severalRuns = new Set(facts.map((fact) => fact.runId)).size > 1;
  return [
    `${look.bold(title)}  ${look.dim('times are UTC')}`,
    ...listed
      .slice(0, most)
      .flatMap((fact) => factLines(fact, look, severalRuns).map((line) => `${INDENT}${line}`)),
    ...(more > 0
      ? [`${INDENT}${look.dim(`and ${formatCount(more)} more (--json and --format csv list all)`)}`]
      : []),
  ].join('\n');
}

function isException({ outcome }: ExplainedFact): boolean {
  switch (outcome) {
    case 'missing':
    case 'different':
    case 'pending':
    case 'rejected':
    case 'skipped':
    case 'unread':
      return true;
    default:
      return false;
  }
}

function pendingSection({ pending }: ExplainResult, look: Look): string {
  if (pending.length === 0) return '';
  const shown = pending.slice(0, EXCEPTIONS_SHOWN);
  return [
    look.bold(`Waiting for a message that never came (${formatCount(pending.length)})`),
    ...shown.map((one) => {
      const what = one.status === null ? one.kind : `${one.kind} ${one.status}`;
      return `${INDENT}${look.dim(clock(one.at))}  ${sanitize(what)} of ${sanitize(one.targetExternalId)}  ${look.cyan(sanitize(one.entryOrigin ?? ''))}`.trimEnd();
    }),
    ...(pending.length > shown.length
      ? [`${INDENT}${look.dim(`and ${formatCount(pending.length - shown.length)} more`)}`]
      : []),
  ].join('\n');
}

function entrySection({ entry }: ExplainResult, look: Look): string {
  if (entry === null) return '';
  return fieldLines(
    'Raw entry',
    [
      ['id', `log:${entry.id}`],
      ['seen first in', entry.origin],
      ['received', entry.receivedAt === null ? 'not said by its source' : clock(entry.receivedAt)],
      ['stored', clock(entry.storedAt)],
      ['status', `${entry.status}${entry.error === null ? '' : ` (${entry.error})`}`],
      ['attempts', String(entry.attempts)],
      ['provider', entry.provider],
      ['fields', entry.fields.join(', ')],
      ['phone_number_ids', entry.phoneNumberIds.join(', ')],
      ['size', formatBytes(entry.bytes)],
      ['last run', entry.run === null ? '' : `${entry.run.command} ${entry.run.id} (${entry.run.status})`],
    ],
    look,
  );
}

function runSection({ run }: ExplainResult, look: Look): string {
  if (run === null) return '';
  return fieldLines(
    'Run',
    [
      ['id', run.id],
      ['command', run.command],
      ['status', run.status],
      ['started', clock(run.startedAt)],
      ['completed', run.completedAt === null ? 'not yet, or it died' : clock(run.completedAt)],
      ['host', run.host],
      ['options', JSON.stringify(run.options)],
      ['verdict', run.verdict ?? ''],
      ['error', run.error ?? ''],
      [
        'journaled rows',
        Object.entries(run.journaled)
          .map(([table, count]) => `${table} ${formatCount(count)}`)
          .join(', '),
      ],
      ['sync logs', run.syncLogs === 0 ? '' : formatCount(run.syncLogs)],
    ],
    look,
  );
}

function runsSection({ runs, run }: ExplainResult, look: Look): string {
  if (runs.length === 0 || run !== null) return '';
  return [
    look.bold('Runs that read these entries'),
    ...runs
      .slice(0, 10)
      .map(
        ({ id, command, startedAt, status }) =>
          `${INDENT}${look.dim(clock(startedAt))}  ${sanitize(command)}  ${sanitize(status)}  ${look.dim(id)}`,
      ),
    ...(runs.length > 10 ? [`${INDENT}${look.dim(`and ${runs.length - 10} more`)}`] : []),
  ].join('\n');
}

function nextSection(next: readonly Remedy[], look: Look): string {
  if (next.length === 0) return '';
  return [
    look.bold('Next'),
    ...next.flatMap((step) => [
      `${INDENT}${look.cyan(look.line(step))}`,
      `${INDENT}  ${look.dim(sanitize(step.why))}`,
    ]),
  ].join('\n');
}
