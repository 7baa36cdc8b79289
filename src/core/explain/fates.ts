import { decodeWamid } from '../../identity/wamid.js';
import type { Fact } from '../../model/facts.js';
import type { PlacedMessage } from '../../store/explain-messages.js';
import type { MessageKey } from '../../store/messages.js';
import type { RejectRecord } from '../../store/explain-records.js';
import { keyOf } from '../plan/message-book.js';
import { isWamid, TWIN_TOLERANCE_MS } from '../plan/twins.js';
import type { LoggedItem } from './read-items.js';
import type { Outcome } from './result.js';

/** What the database holds of what the items speak of. */
export interface KnownRows {
  messages: MessageRows;
  /** By entry and path. */
  rejects: ReadonlyMap<string, RejectRecord>;
  /** By connection and target. */
  waiting: ReadonlySet<string>;
}

export interface Fate {
  outcome: Outcome;
  reason: string | null;
  /** The row that the item is about. */
  row: PlacedMessage | null;
  /** The row that holds the item's id in another conversation. */
  holder: PlacedMessage | null;
}

/** Rows by each of their ids. */
export class MessageRows {
  private readonly byExternalId = new Map<string, PlacedMessage[]>();
  private readonly byStanzaId = new Map<string, PlacedMessage[]>();

  constructor(rows: readonly PlacedMessage[]) {
    const seen = new Set<string>();
    for (const row of rows) {
      if (seen.has(row.id)) continue;
      seen.add(row.id);
      add(this.byExternalId, row.connectionId, row.externalId, row);
      add(this.byStanzaId, row.connectionId, row.stanzaId, row);
    }
  }

  /** The row with this id; one of doubled rows, where an index is missing. */
  find(connectionId: string, externalId: string): PlacedMessage | null {
    return this.byExternalId.get(keyOf(connectionId, externalId))?.[0] ?? null;
  }

  /** The row of a message fact, also under the other of its two names (M10). */
  findMessage(connectionId: string, fact: Extract<Fact, { kind: 'message' }>): PlacedMessage | null {
    const exact = this.find(connectionId, fact.externalId);
    if (exact !== null || fact.stanzaId === undefined) return exact;
    const called = this.byStanzaId.get(keyOf(connectionId, fact.stanzaId)) ?? [];
    return (
      called.find(
        (row) =>
          row.direction === fact.direction &&
          Math.abs(row.timestamp - fact.timestamp) <= TWIN_TOLERANCE_MS &&
          isWamid(row.externalId ?? '') !== isWamid(fact.externalId),
      ) ?? null
    );
  }

  /** The message that an amendment names; WhatsApp Web's name of it, if only one message is called so. */
  findTarget(connectionId: string, id: string): PlacedMessage | null {
    const exact = this.find(connectionId, id);
    if (exact !== null) return exact;
    const called = this.byStanzaId.get(keyOf(connectionId, id)) ?? [];
    return called.length === 1 ? (called[0] ?? null) : null;
  }
}

function add(
  rows: Map<string, PlacedMessage[]>,
  connectionId: string,
  id: string | null,
  row: PlacedMessage,
): void {
  if (id === null) return;
  const key = keyOf(connectionId, id);
  const known = rows.get(key);
  if (known === undefined) rows.set(key, [row]);
  else known.push(row);
}

export function rejectKey(entryId: string, path: string): string {
  return `${entryId} ${path}`;
}

/** Ids under which the rows of these items have to be looked up. */
export function keysOfItems(items: readonly LoggedItem[]): { external: MessageKey[]; stanza: MessageKey[] } {
  const external = new Map<string, MessageKey>();
  const stanza = new Map<string, MessageKey>();
  for (const { fact, included, connection } of items) {
    if (connection === null) continue;
    for (const id of idsOf(included ?? fact)) {
      external.set(keyOf(connection.id, id), { connectionId: connection.id, id });
      const inside = isWamid(id) ? decodeWamid(id)?.stanzaId : id;
      if (inside !== undefined)
        stanza.set(keyOf(connection.id, inside), { connectionId: connection.id, id: inside });
    }
  }
  return { external: [...external.values()], stanza: [...stanza.values()] };
}

/** The ids of the messages that a fact speaks of. */
export function idsOf(fact: Fact): string[] {
  switch (fact.kind) {
    case 'message':
      return [fact.externalId];
    case 'status':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return [fact.targetExternalId];
    default:
      return [];
  }
}

/** What became of an item, by what the database holds now. Pure. */
export function fateOf(item: LoggedItem, known: KnownRows): Fate {
  const { fact, connection, pending, entry } = item;
  if (pending !== null) return fate('pending', pending);
  switch (fact.kind) {
    case 'skipped':
      return skippedFate(item, fact, known);
    case 'rejected':
      return fate('rejected', fact.reason);
    case 'message': {
      if (item.ownNumber !== null) return fate('skipped', item.ownNumber);
      const row = connection === null ? null : known.messages.findMessage(connection.id, fact);
      const reject = known.rejects.get(rejectKey(entry.id, fact.path));
      if (reject !== undefined && row?.batchId !== entry.id) {
        return { outcome: 'rejected', reason: reject.reason, row: null, holder: row };
      }
      if (row !== null) return { ...fate(row.batchId === entry.id ? 'created' : 'stored'), row };
      return absentFate(item);
    }
    case 'status':
    case 'edit':
    case 'revoke':
    case 'reaction': {
      if (item.ownNumber !== null) return fate('skipped', item.ownNumber);
      const row =
        connection === null ? null : known.messages.findTarget(connection.id, fact.targetExternalId);
      if (row !== null) return { ...fate('applied'), row };
      if (connection !== null && known.waiting.has(keyOf(connection.id, fact.targetExternalId))) {
        return fate('pending', 'no_message_yet');
      }
      return absentFate(item);
    }
    case 'address_book':
      return item.ownNumber === null ? fate('noted') : fate('skipped', item.ownNumber);
    case 'profile':
    case 'identity_link':
    case 'history_chunk':
    case 'history_state':
    case 'event':
      return fate('noted');
  }
}

/** A chat that was left out, unless a replay with `--include` brought it in. */
function skippedFate(item: LoggedItem, fact: Extract<Fact, { kind: 'skipped' }>, known: KnownRows): Fate {
  const { included, connection } = item;
  if (included?.kind === 'message' && connection !== null) {
    const row = known.messages.findMessage(connection.id, included);
    if (row !== null) return { ...fate(row.batchId === item.entry.id ? 'created' : 'stored'), row };
  }
  return fate('skipped', fact.reason);
}

/** Nothing in the database: because the entry is not done yet, or for no reason that is on record. */
function absentFate({ entry }: LoggedItem): Fate {
  if (entry.status === 'pending' || entry.status === 'failed') return fate('pending', 'not_replayed');
  return fate('missing');
}

function fate(outcome: Outcome, reason: string | null = null): Fate {
  return { outcome, reason, row: null, holder: null };
}
