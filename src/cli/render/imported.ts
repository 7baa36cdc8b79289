import type { ImportResult } from '../../core/import/result.js';
import type { Remedy } from '../../model/remedy.js';
import { typedAgain } from '../typed-again.js';
import type { Look } from './look.js';
import { nextLines } from './next-lines.js';
import { withoutDryRun } from '../views/replay-next.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount, formatDuration } from './quantities.js';
import { reasonInWords } from './reasons.js';
import { sanitize } from './sanitize.js';
import { HOW_TO_GET_A_VERSION } from '../../core/devices/pairing-error.js';

/** What was asked for, as far as the words depend on it. */
export interface ImportInvocation {
  argv: readonly string[];
  timeoutMs: number;
}

/** An import of one contact, in every format. */
export function presentImport(result: ImportResult, invocation: ImportInvocation): Presentation {
  const { outcome, contact, connection, messages, cache, fetch } = result;
  const grid: Grid = {
    columns: [
      'contact',
      'lead_id',
      'connection',
      'outcome',
      'created',
      'updated',
      'unchanged',
      'from_raw_log',
      'pages',
      'requests',
      'oldest_message_at',
      'next_allowed_at',
    ],
    rows: [
      [
        contact.typed,
        contact.leadId,
        connection?.name ?? null,
        outcome,
        messages.created,
        messages.updated,
        messages.unchanged,
        cache.created,
        fetch.pages.length,
        fetch.requests,
        result.oldestMessageAt,
        result.nextAllowedAt,
      ],
    ],
  };
  return {
    json: result,
    lines: [result],
    csv: grid,
    markdown: [grid],
    text: (look) => textOf(result, invocation, look),
  };
}

function textOf(result: ImportResult, invocation: ImportInvocation, look: Look): string {
  const lines = [headline(result, invocation, look)];
  const why = explain(result);
  if (why !== undefined) lines.push(`  ${why}`);
  lines.push(...figures(result).map((line) => `  ${look.dim(line)}`));
  for (const { origin, path, reason } of result.problems.slice(0, 5)) {
    lines.push(`  ${look.yellow('!')} ${sanitize(origin)} ${sanitize(path)}: ${sanitize(reason)}`);
  }
  lines.push(...gapLines(result, look), ...strangerLines(result, look));
  const next = nextSteps(result, invocation);
  if (next.length > 0) {
    lines.push('', look.bold('Next'), ...nextLines(next, look).map((line) => `  ${line}`));
  }
  return lines.join('\n');
}

function headline(result: ImportResult, { timeoutMs }: ImportInvocation, look: Look): string {
  const { status } = result;
  const words = `${wordsOf(result, timeoutMs)} ${look.dim(`[${result.outcome}]`)}`;
  if (status === 'completed') return `${look.green('✔')} ${words}`;
  return status === 'partial' ? `${look.yellow('!')} ${words}` : `${look.red('✖')} ${words}`;
}

/** What happened, in a sentence. */
function wordsOf(result: ImportResult, timeoutMs: number): string {
  const { outcome, messages, cache, dryRun, contact } = result;
  const who = sanitize(contact.name ?? contact.phone ?? contact.typed);
  const created = formatAmount(messages.created, 'message');
  const kept = messages.created > 0 ? ` (${created} had come before that)` : '';
  switch (outcome) {
    case 'cache':
      if (cache.created + cache.updated === 0) return `${who}: all that was asked for is stored already.`;
      return dryRun
        ? `${who}: ${created} would come from the raw log.`
        : `${who}: ${created} came from the raw log; nobody was asked.`;
    case 'fetched':
      return `${who}: ${created} fetched from the phone; there may be more.`;
    case 'end_of_history':
      return `${who}: ${created} fetched; the phone has nothing older.`;
    case 'empty':
      return result.fetch.requests === 0
        ? `${who}: the raw log has nothing that is not in the database.`
        : `${who}: the phone answered without any message of this contact.`;
    case 'silent':
      return `${who}: the phone did not answer within ${formatDuration(timeoutMs).replace('.0 s', ' s')}${kept}.`;
    case 'no_anchor':
      return `${who}: no message is stored from which to go back.`;
    case 'throttled':
      return `${who}: the phone was asked less than five minutes ago.`;
    case 'not_linked':
      return `${who}: nothing in the raw log, and no phone to ask.`;
    case 'conflict':
      return `${who}: another login with this device’s credentials took over${kept}.`;
    case 'logged_out':
      return `${who}: the device is not linked any more${kept}.`;
    case 'offline':
      return `${who}: no line to WhatsApp${result.reason === null ? '' : ` (${sanitize(result.reason)})`}${kept}.`;
    case 'download_failed':
      return `${who}: the phone’s answer could not be downloaded or read${kept}.`;
    case 'interrupted':
      return `${who}: interrupted${kept}.`;
    case 'would_fetch':
      return `${who}: would ask the phone.`;
  }
}

/** What a person should know beyond that. */
function explain(result: ImportResult): string | undefined {
  const { outcome, connection, fetch, nextAllowedAt, reason } = result;
  switch (outcome) {
    case 'silent':
      return `It may be offline, know the chat by another address, or refuse; nobody can tell. It does not mean that there is no more history.${waitingTime(result)}`;
    case 'empty':
      return fetch.requests === 0
        ? undefined
        : 'That is no end: it has not said that there is nothing older.';
    case 'no_anchor':
      return 'WhatsApp gives what came before a message that it knows. One message of this contact, from any source, is enough.';
    case 'throttled':
      return `Allowed again at ${nextAllowedAt ?? 'any time'}; --force asks all the same.`;
    case 'not_linked':
      return whyNotLinked(connection);
    case 'conflict':
      return 'Nothing tries to take it back: that would close the other one. Is a copy of this database in use elsewhere?';
    case 'offline':
      return reason === 'outdated' ? HOW_TO_GET_A_VERSION : undefined;
    case 'download_failed':
      return `${reason === null ? '' : `${sanitize(reason)}. `}The file stays owed; the next import downloads it first.${waitingTime(result)}`;
    case 'would_fetch':
      return fetch.anchor === null
        ? undefined
        : `Back from message ${sanitize(fetch.anchor.id)} of ${fetch.anchor.timestamp}, as ${sanitize(fetch.anchor.address)}.`;
    default:
      return undefined;
  }
}

/** A request that went out counts, answered or not. */
function waitingTime({ nextAllowedAt }: ImportResult): string {
  return nextAllowedAt === null
    ? ''
    : ` The next request waits five minutes, until ${nextAllowedAt}; --force asks all the same.`;
}

/** What an answer left out, one line per gap. */
function gapLines({ fetch }: ImportResult, look: Look): string[] {
  return fetch.gaps.map(({ after, before, reason, filled }) => {
    const where = `between ${after} and ${before}`;
    return filled
      ? `  ${look.dim(`The answer left out messages ${where}; asked again, they are here.`)}`
      : `  ${look.yellow('!')} Messages are missing ${where}: ${GAP_REASONS[reason]}. The next import asks for them first.`;
  });
}

const GAP_REASONS: Record<ImportResult['fetch']['gaps'][number]['reason'], string> = {
  file: 'a file of the answer could not be downloaded',
  chunk: 'a part of the answer never came',
  short: 'the phone has more messages there than it sent',
};

/** Messages of other people in the answers. */
function strangerLines({ fetch }: ImportResult, look: Look): string[] {
  const others = fetch.pages.reduce((sum, page) => sum + page.ofOthers, 0);
  return others === 0
    ? []
    : [
        `  ${look.yellow('!')} ${formatAmount(others, 'message')} of other people came with the answer: stored, and pending.`,
      ];
}

function whyNotLinked(connection: ImportResult['connection']): string {
  if (connection === null) return 'There is no connection yet.';
  const name = sanitize(connection.name);
  switch (connection.kind) {
    case 'cloud_api':
      return `Meta offers no history of a single contact, and '${name}' is a pure Cloud API number: there is no phone that could be asked.`;
    case 'coexistence':
      return `Meta offers no history of a single contact; the phone of '${name}' has it. Link this tool to it as a device of its own.`;
    case 'baileys':
      return `Link this tool to the phone of '${name}' as a device of its own; the one of the CRM is never used.`;
  }
}

function figures({ messages, cache, fetch, oldestMessageAt, connection }: ImportResult): string[] {
  const left = Object.entries(messages.skipped).map(([why, n]) => `${n} ${reasonInWords(why)}`);
  return [
    ...(messages.seen === 0
      ? []
      : [
          `${messages.created} new, ${messages.updated} changed, ${messages.unchanged} known` +
            (left.length === 0 ? '' : `; left out: ${left.join(', ')}`),
        ]),
    ...(fetch.requests === 0
      ? []
      : [
          `${formatAmount(fetch.requests, 'request')}, ${formatAmount(fetch.pages.length, 'page')}` +
            (connection === null ? '' : `, over '${sanitize(connection.name)}'`),
        ]),
    ...(cache.entries === 0 ? [] : [`${formatAmount(cache.entries, 'raw entry', 'raw entries')} looked at`]),
    ...(oldestMessageAt === null ? [] : [`stored back to ${oldestMessageAt}`]),
  ];
}

/** The advice of the result; a dry run, and what stopped in between, is typed again as it was. */
function nextSteps({ outcome, dryRun, remedies }: ImportResult, { argv }: ImportInvocation): Remedy[] {
  if (outcome === 'would_fetch' || (outcome === 'cache' && dryRun)) {
    return [typedAgain(argv, 'does it', withoutDryRun)];
  }
  return outcome === 'interrupted' ? [typedAgain(argv, 'goes on'), ...remedies] : [...remedies];
}
