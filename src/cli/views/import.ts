import type { ImportResult } from '../../commands/import/types.js';
import { HOW_TO_GET_A_VERSION } from '../../commands/devices/pairing-error.js';
import type { Remedy } from '../../model/remedy.js';
import type { Grid, Presentation } from '../ui/presentation.js';
import { formatAmount, formatDuration } from '../ui/quantities.js';
import { isPending } from './run-figures.js';
import { utc } from './report-words.js';
import { reasonInWords } from './reasons.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';
import { faint, list, text, type Item, type Mark } from '../ui/document.js';

const PROBLEMS_SHOWN = 5;

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
    document: {
      verdict: {
        mark: MARKS[result.status],
        text: wordsOf(result, invocation.timeoutMs),
        detail: `[${outcome}]`,
        remarks: explain(result),
      },
      blocks: [
        text(...figures(result).map(faint)),
        list([
          ...problemItems(result),
          ...gapItems(result),
          ...endItems(result),
          ...owedItems(result),
          ...strangerItems(result),
        ]),
      ],
      next: nextSteps(result, invocation),
    },
  };
}

const MARKS: Readonly<Record<ImportResult['status'], Mark>> = {
  completed: 'good',
  partial: 'warn',
  failed: 'bad',
  interrupted: 'stopped',
};

/** What happened, in a sentence. */
function wordsOf(result: ImportResult, timeoutMs: number): string {
  const { outcome, messages, cache, dryRun, contact, connection } = result;
  const who = contact.name ?? contact.phone ?? contact.typed;
  const created = formatAmount(messages.created, 'message');
  const kept = messages.created > 0 ? ` (${created} arrived before that)` : '';
  switch (outcome) {
    case 'cache':
      if (cache.created + cache.updated === 0) return `${who}: everything requested is already stored.`;
      if (cache.created === 0) {
        const corrected = formatAmount(cache.updated, 'message');
        return `${who}: ${corrected} ${dryRun ? 'would be ' : ''}corrected from the raw log${dryRun ? '.' : '; the phone was not asked.'}`;
      }
      return dryRun
        ? `${who}: ${created} would be imported from the raw log.`
        : `${who}: ${created} imported from the raw log; the phone was not asked.`;
    case 'fetched':
      return `${who}: ${created} fetched from the phone; there may be more.`;
    case 'end_of_history':
      return `${who}: ${created} fetched; the phone has nothing older.`;
    case 'empty':
      return result.fetch.requests === 0
        ? `${who}: the raw log has nothing new.`
        : `${who}: the phone’s answer has no message of this contact.`;
    case 'silent':
      return `${who}: the phone did not answer within ${formatDuration(timeoutMs).replace('.0 s', ' s')}${kept}.`;
    case 'no_anchor':
      return `${who}: no stored message to start from.`;
    case 'throttled':
      return `${who}: the phone was asked less than five minutes ago.`;
    case 'not_linked':
      return `${who}: nothing new in the raw log, and no linked phone.`;
    case 'conflict':
      return `${who}: another login with this device’s credentials took over${kept}.`;
    case 'logged_out':
      return `${who}: the device was unlinked${connection === null ? '' : ` from '${connection.name}'`}${kept}.`;
    case 'offline':
      return `${who}: no connection to WhatsApp${result.reason === null ? '' : ` (${result.reason})`}${kept}.`;
    case 'download_failed':
      return `${who}: the phone’s answer could not be downloaded or read${kept}.`;
    case 'interrupted':
      return `${who}: interrupted${kept}.`;
    case 'would_fetch':
      return `${who}: would ask the phone.`;
  }
}

/** What a person should know beyond that. */
function explain(result: ImportResult): string[] {
  const said = explanation(result);
  return said === undefined ? [] : [said];
}

function explanation(result: ImportResult): string | undefined {
  const { outcome, connection, fetch, nextAllowedAt, reason } = result;
  switch (outcome) {
    case 'silent':
      return `The phone may be offline, know the chat under another address, or refuse. It does not mean that there is no more history.${waitingTime(result)}`;
    case 'empty':
      if (fetch.requests === 0) return undefined;
      return fetch.pages.some(({ moreRemain }) => moreRemain)
        ? 'The phone says that it has older messages, but sent none of them.'
        : 'The phone may still have older messages.';
    case 'no_anchor':
      return 'WhatsApp sends the messages before a known one. One message of this contact, from any source, is enough.';
    case 'throttled':
      return `Allowed again at ${nextAllowedAt ?? 'any time'}; --force asks anyway.`;
    case 'not_linked':
      return whyNotLinked(connection);
    case 'conflict':
      return 'Is a copy of this database in use elsewhere? This login does not reconnect, because that would close the other one.';
    case 'logged_out':
      return 'The phone’s owner or WhatsApp has removed it. Until the phone is linked again, every request fails.';
    case 'offline':
      return reason === 'outdated' ? HOW_TO_GET_A_VERSION : undefined;
    case 'download_failed':
      return `${reason === null ? '' : `${reason}. `}The file is still missing; the next import downloads it first.${waitingTime(result)}`;
    case 'would_fetch':
      return fetch.anchor === null
        ? undefined
        : `Back from message ${fetch.anchor.id} of ${fetch.anchor.timestamp}, as ${fetch.anchor.address}.`;
    default:
      return undefined;
  }
}

/** A request that went out counts, answered or not. */
function waitingTime({ nextAllowedAt }: ImportResult): string {
  return nextAllowedAt === null
    ? ''
    : ` The next request waits five minutes, until ${nextAllowedAt}; --force asks anyway.`;
}

function problemItems({ problems }: ImportResult): Item[] {
  return problems.slice(0, PROBLEMS_SHOWN).map(({ origin, path, reason }) => ({
    mark: 'warn',
    line: `${origin} ${path}: ${reasonInWords(reason)}`,
  }));
}

/** What an answer left out, one line per gap. */
function gapItems({ fetch }: ImportResult): Item[] {
  return fetch.gaps.map(({ after, before, reason, filled }) => {
    const where = after === null ? `before ${before}` : `between ${after} and ${before}`;
    return filled
      ? { mark: 'note', line: faint(`The answer left out messages ${where}; a second request brought them.`) }
      : {
          mark: 'warn',
          line: `Messages ${reason === 'short' ? 'may be' : 'are'} missing ${where}: ${GAP_REASONS[reason]}. The next import requests them first.`,
        };
  });
}

/** Where messages may be missing though the phone says that it has nothing older. */
function endItems({ fetch: { unconfirmedEnd, gaps } }: ImportResult): Item[] {
  if (unconfirmedEnd === null || gaps.some(({ after }) => after === null)) return [];
  return [
    {
      mark: 'note',
      line: `Messages before ${unconfirmedEnd} may be missing: the phone says that there is nothing older, but did not confirm it. The next import asks again.`,
    },
  ];
}

/** A file of the connection's history may hold what is missing. */
function owedItems({ owedFiles, connection }: ImportResult): Item[] {
  return owedFiles === 0 || connection === null
    ? []
    : [
        {
          mark: 'warn',
          line: `${formatAmount(owedFiles, 'file')} of the history of '${connection.name}' did not arrive: messages of this contact may be in ${owedFiles === 1 ? 'it' : 'them'}.`,
        },
      ];
}

const GAP_REASONS: Record<ImportResult['fetch']['gaps'][number]['reason'], string> = {
  file: 'a file of the answer could not be downloaded',
  chunk: 'a part of the answer is missing',
  short: 'the phone sent fewer than requested, and did not confirm that this is all',
};

/** Messages of other people in the answers. */
function strangerItems({ fetch }: ImportResult): Item[] {
  const others = fetch.pages.reduce((sum, page) => sum + page.ofOthers, 0);
  return others === 0
    ? []
    : [
        {
          mark: 'warn',
          line: `${formatAmount(others, 'message')} of other people came with the answer: stored, and pending.`,
        },
      ];
}

function whyNotLinked(connection: ImportResult['connection']): string {
  if (connection === null) return 'There is no connection yet.';
  const name = connection.name;
  switch (connection.kind) {
    case 'cloud_api':
      return `Meta offers no history of a single contact, and '${name}' is a pure Cloud API number: there is no phone that could be asked.`;
    case 'coexistence':
      return `Meta offers no history of a single contact; the phone of '${name}' has it. Link this tool to it as a device of its own.`;
    case 'baileys':
      return `Link this tool to the phone of '${name}' as a device of its own; the CRM’s device is never used.`;
  }
}

function figures({ messages, cache, fetch, oldestMessageAt, connection }: ImportResult): string[] {
  const words = (pending: boolean): string =>
    Object.entries(messages.skipped)
      .filter(([why]) => isPending(why) === pending)
      .map(([why, n]) => `${n} ${reasonInWords(why)}`)
      .join(', ');
  const [skipped, pending] = [words(false), words(true)];
  return [
    ...(messages.seen === 0
      ? []
      : [
          `${messages.created} created, ${messages.updated} updated, ${messages.unchanged} unchanged` +
            `${skipped === '' ? '' : `; skipped: ${skipped}`}${pending === '' ? '' : `; ${pending}`}`,
        ]),
    ...(fetch.requests === 0
      ? []
      : [
          `${formatAmount(fetch.requests, 'request')}, ${formatAmount(fetch.pages.length, 'page')}` +
            (connection === null ? '' : `, over '${connection.name}'`),
        ]),
    ...(cache.entries === 0 ? [] : [`${formatAmount(cache.entries, 'raw entry', 'raw entries')} read`]),
    ...(oldestMessageAt === null ? [] : [`stored back to ${utc(oldestMessageAt)}`]),
  ];
}

/** The advice of the result; a dry run, and what stopped in between, is typed again as it was. */
function nextSteps({ outcome, dryRun, remedies }: ImportResult, { argv }: ImportInvocation): Remedy[] {
  if (outcome === 'would_fetch' || (outcome === 'cache' && dryRun)) {
    return [typedAgain(argv, 'runs it', withoutDryRun)];
  }
  return outcome === 'interrupted' ? [typedAgain(argv, 'resumes it'), ...remedies] : [...remedies];
}
