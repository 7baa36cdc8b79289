import type { Fact, MessageContent } from '../../model/facts.js';
import type { ItemVerdict } from './item-verdicts.js';
import { type EntryItem, type EntryItems, namesIn } from './log-items.js';
import type { Change, ExplainedFact, PendingNote } from './result.js';
import type { PendingRecord } from '../../store/tables/amendments.js';
import { readEntryHeads } from '../../store/tables/stored-entries.js';
import type { Investigation } from './investigation.js';
import { rfc3339 } from '../../model/time.js';

/** Longest excerpt of a text; cut by characters, sanitized by the renderer. */
const EXCERPT = 60;

/** A fact as the result shows it. */
export function viewOf(
  { item, outcome, reason, row, holder }: ItemVerdict,
  { bodies, changes = [] }: { bodies: boolean; changes?: Change[] },
): ExplainedFact {
  const { fact, entry, connection, hint } = item;
  // A skipped item is shown as what it would have become.
  const shown = fact.kind === 'skipped' && item.included !== null ? item.included : fact;
  return {
    ...headOf(entry),
    ...wordsOf(shown),
    outcome,
    reason: fact.kind === 'history_state' ? (fact.error ?? null) : reason,
    changes,
    messageId: row?.id ?? null,
    takenBy: holder === null ? null : { messageId: holder.id, leadId: holder.leadId, entry: holder.batchId },
    connection: connection?.name ?? null,
    connectionHint: connection === null ? (hint.phoneNumberId ?? hint.session) : null,
    chunk: item.chunk,
    path: fact.path,
    names: isAboutNames(fact) ? namesIn(fact) : [],
    excerpt: bodies ? excerptOf(shown) : null,
  };
}

/** An entry in an unknown format, as one fact. */
export function unreadableView(entry: EntryItems['entry'], reason: string): ExplainedFact {
  return {
    ...headOf(entry),
    kind: 'entry',
    origin: null,
    type: null,
    direction: null,
    status: null,
    externalId: null,
    at: null,
    atFrom: null,
    outcome: 'unread',
    reason,
    changes: [],
    messageId: null,
    takenBy: null,
    connection: null,
    connectionHint: null,
    chunk: null,
    path: '$',
    names: [],
    excerpt: null,
  };
}

function headOf(
  entry: EntryItem['entry'],
): Pick<ExplainedFact, 'entryId' | 'entryOrigin' | 'entryStatus' | 'receivedAt' | 'storedAt' | 'runId'> {
  return {
    entryId: entry.id,
    entryOrigin: originOf(entry),
    entryStatus: entry.status,
    receivedAt: rfc3339(entry.receivedAt),
    storedAt: new Date(entry.createdAt).toISOString(),
    runId: entry.runId,
  };
}

export function originOf(entry: { id: string; origin: string | null }): string {
  return entry.origin ?? `log:${entry.id}`;
}

/** The first words of a text, as they were sent. */
export function firstWords(text: string): string {
  return text.length <= EXCERPT ? text : `${text.slice(0, EXCERPT - 1)}…`;
}

function isAboutNames(fact: Fact): boolean {
  return fact.kind === 'address_book' || fact.kind === 'profile' || fact.kind === 'identity_link';
}

type Words = Pick<
  ExplainedFact,
  'kind' | 'origin' | 'type' | 'direction' | 'status' | 'externalId' | 'at' | 'atFrom'
>;

function wordsOf(fact: Fact): Words {
  const isMessage = fact.kind === 'message';
  const at = 'timestamp' in fact ? fact.timestamp : 'at' in fact ? fact.at : null;
  const ownId = isMessage ? fact.externalId : null;
  const atFrom = isMessage ? fact.rawMeta?.timestampFrom : undefined;
  return {
    kind: fact.kind,
    origin: isMessage ? fact.origin : null,
    type: typeOf(fact),
    direction: isMessage ? fact.direction : null,
    status: isMessage ? (fact.historyStatus ?? null) : fact.kind === 'status' ? fact.status : null,
    externalId: 'targetExternalId' in fact ? fact.targetExternalId : ownId,
    at: rfc3339(at),
    atFrom: typeof atFrom === 'string' ? atFrom : null,
  };
}

function typeOf(fact: Fact): string | null {
  switch (fact.kind) {
    case 'message':
      return fact.type;
    case 'edit':
      return fact.content.type;
    case 'reaction':
      return fact.emoji === null ? 'removed' : fact.reactor;
    case 'address_book':
      return fact.action;
    case 'history_state':
      return fact.status;
    case 'event':
      return fact.name;
    case 'skipped':
    case 'rejected':
      return fact.subject;
    case 'status':
    case 'revoke':
    case 'profile':
    case 'identity_link':
    case 'history_chunk':
      return null;
  }
}

function excerptOf(fact: Fact): string | null {
  switch (fact.kind) {
    case 'message':
      return contentExcerpt(fact);
    case 'edit':
      return contentExcerpt(fact.content);
    case 'reaction':
      return fact.emoji;
    case 'address_book':
    case 'profile':
      return fact.name ?? fact.username ?? null;
    case 'rejected':
      return firstWords(fact.excerpt);
    default:
      return null;
  }
}

function contentExcerpt(content: MessageContent): string | null {
  const text = content.body ?? content.media?.fileName;
  return text === undefined ? null : firstWords(text);
}

/** Updates whose message was not received, with their entries. */
export async function pendingNotes(
  inv: Investigation,
  pending: readonly PendingRecord[],
): Promise<PendingNote[]> {
  const ids = [...new Set(pending.flatMap((one) => one.webhookLogId ?? []))];
  const heads = new Map((await readEntryHeads(inv.sql, ids)).map((head) => [head.id, head]));
  return pending.map((one) => {
    const head = one.webhookLogId === null ? undefined : heads.get(one.webhookLogId);
    const status = one.payload['status'];
    return {
      connection: inv.nameOf(one.connectionId),
      kind: one.kind,
      targetExternalId: one.targetExternalId,
      at: rfc3339(one.at),
      waitingSince: rfc3339(one.createdAt),
      status: typeof status === 'string' ? status : null,
      entryId: one.webhookLogId,
      entryOrigin: head === undefined ? null : originOf(head),
    };
  });
}
