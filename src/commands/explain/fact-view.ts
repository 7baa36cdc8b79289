import type { Fact, MessageContent } from '../../model/facts.js';
import type { Fate } from './fates.js';
import type { LoggedItem, LoggedItems } from './read-items.js';
import { namesIn } from './names.js';
import type { Change, ExplainedFact } from './result.js';

/** Longest excerpt of a text; cut by characters, sanitised where it is shown. */
const EXCERPT = 60;

/** A fact in the form in which it is handed out. */
export function viewOf(
  item: LoggedItem,
  fate: Fate,
  { bodies, changes = [] }: { bodies: boolean; changes?: Change[] },
): ExplainedFact {
  const { fact, entry, connection, hint } = item;
  // A skipped item is told by what it would have been.
  const told = fact.kind === 'skipped' && item.included !== null ? item.included : fact;
  return {
    ...headOf(entry),
    ...wordsOf(told),
    outcome: fate.outcome,
    reason: fact.kind === 'history_state' ? (fact.error ?? null) : fate.reason,
    changes,
    messageId: fate.row?.id ?? null,
    takenBy:
      fate.holder === null
        ? null
        : { messageId: fate.holder.id, leadId: fate.holder.leadId, entry: fate.holder.batchId },
    connection: connection?.name ?? null,
    connectionHint: connection === null ? (hint.phoneNumberId ?? hint.session) : null,
    chunk: item.chunk,
    path: fact.path,
    names: isAboutNames(fact) ? namesIn(fact) : [],
    excerpt: bodies ? excerptOf(told) : null,
  };
}

/** An entry of which nothing could be read, as one line. */
export function unreadableView(entry: LoggedItems['entry'], reason: string): ExplainedFact {
  return {
    ...headOf(entry),
    kind: 'entry',
    origin: null,
    type: null,
    direction: null,
    status: null,
    externalId: null,
    at: null,
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
  entry: LoggedItem['entry'],
): Pick<ExplainedFact, 'entryId' | 'entryOrigin' | 'entryStatus' | 'receivedAt' | 'storedAt' | 'runId'> {
  return {
    entryId: entry.id,
    entryOrigin: originOf(entry),
    entryStatus: entry.status,
    receivedAt: iso(entry.receivedAt),
    storedAt: new Date(entry.createdAt).toISOString(),
    runId: entry.runId,
  };
}

export function originOf(entry: { id: string; origin: string | null }): string {
  return entry.origin ?? `log:${entry.id}`;
}

/** RFC 3339 of a time in ms; null stays null. */
export function iso(ms: number): string;
export function iso(ms: number | null): string | null;
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** The first words of a text, as they were said. */
export function firstWords(text: string): string {
  return text.length <= EXCERPT ? text : `${text.slice(0, EXCERPT - 1)}…`;
}

function isAboutNames(fact: Fact): boolean {
  return fact.kind === 'address_book' || fact.kind === 'profile' || fact.kind === 'identity_link';
}

type Words = Pick<ExplainedFact, 'kind' | 'origin' | 'type' | 'direction' | 'status' | 'externalId' | 'at'>;

function wordsOf(fact: Fact): Words {
  const none: Words = {
    kind: fact.kind,
    origin: null,
    type: null,
    direction: null,
    status: null,
    externalId: null,
    at: null,
  };
  switch (fact.kind) {
    case 'message':
      return {
        ...none,
        origin: fact.origin,
        type: fact.type,
        direction: fact.direction,
        status: fact.historyStatus ?? null,
        externalId: fact.externalId,
        at: iso(fact.timestamp),
      };
    case 'status':
      return { ...none, status: fact.status, externalId: fact.targetExternalId, at: iso(fact.at) };
    case 'edit':
      return { ...none, type: fact.content.type, externalId: fact.targetExternalId, at: iso(fact.at) };
    case 'revoke':
      return { ...none, externalId: fact.targetExternalId, at: iso(fact.at) };
    case 'reaction':
      return {
        ...none,
        type: fact.emoji === null ? 'removed' : fact.reactor,
        externalId: fact.targetExternalId,
        at: iso(fact.at),
      };
    case 'address_book':
      return { ...none, type: fact.action, at: iso(fact.at) };
    case 'profile':
      return { ...none, at: iso(fact.at) };
    case 'history_state':
      return { ...none, type: fact.status };
    case 'event':
      return { ...none, type: fact.name };
    case 'skipped':
    case 'rejected':
      return { ...none, type: fact.subject };
    case 'identity_link':
    case 'history_chunk':
      return none;
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
    case 'status':
    case 'revoke':
    case 'identity_link':
    case 'history_chunk':
    case 'history_state':
    case 'event':
    case 'skipped':
      return null;
  }
}

function contentExcerpt(content: MessageContent): string | null {
  const text = content.body ?? content.media?.fileName;
  return text === undefined ? null : firstWords(text);
}
