import type { MessageSource } from '../../model/enumerations.js';
import { readConversationsOfLeads, type ConversationRow } from '../../store/tables/conversations.js';
import { ConnectionMap } from '../../rules/connection-map.js';
import { groupBy } from '../../rules/group-by.js';
import type { TrackedMessage } from '../../rules/message-book.js';
import type { NamedPeople } from './name-people.js';
import type { BatchWork, Item } from './work.js';

/** The conversations of everyone in the batch, stored and new. */
export class Conversations {
  private readonly byPair = new ConnectionMap<ConversationRow>();
  private readonly byId = new Map<string, ConversationRow>();
  private readonly changed = new Set<string>();
  private readonly stale = new Set<string>();
  readonly inserts: ConversationRow[] = [];

  constructor(rows: readonly ConversationRow[]) {
    for (const row of rows) this.add(row);
  }

  /** Conversations found later. */
  load(rows: readonly ConversationRow[]): void {
    for (const row of rows) if (!this.byId.has(row.id)) this.add(row);
  }

  ensure(leadId: string, connectionId: string, newId: () => string): ConversationRow {
    const known = this.byPair.get(connectionId, leadId);
    if (known !== undefined) return known;
    const row: ConversationRow = {
      id: newId(),
      connectionId,
      leadId,
      firstMessageAt: null,
      firstMessageSource: null,
      lastMessageAt: null,
    };
    this.add(row);
    this.inserts.push(row);
    return row;
  }

  /** Groups once, for projecting many leads. */
  byLead(): Map<string, ConversationRow[]> {
    return groupBy(this.byId.values(), (row) => row.leadId);
  }

  /**
   * Applies the batch's messages. A new message can only move the ends outwards; if a stored one changed its time or
   * source, or left, the ends must be reread from the messages (`staleIds`).
   */
  absorb(trackedMessages: readonly TrackedMessage[]): void {
    for (const { state, stored, changed, gone } of trackedMessages) {
      if (stored === null) {
        if (!gone) this.offer(state.conversationId, state.timestamp, state.source);
        continue;
      }
      if (!changed && !gone) continue;
      const moved = stored.conversationId !== state.conversationId;
      if (gone || moved || stored.timestamp !== state.timestamp || stored.source !== state.source) {
        this.stale.add(stored.conversationId);
        this.stale.add(state.conversationId);
      }
    }
  }

  markStale(ids: readonly string[]): void {
    for (const id of ids) this.stale.add(id);
  }

  /** All stored ones. */
  markAllStale(): void {
    const isNew = new Set(this.inserts.map(({ id }) => id));
    for (const id of this.byId.keys()) if (!isNew.has(id)) this.stale.add(id);
  }

  staleIds(): string[] {
    return [...this.stale];
  }

  /** Conversations reread after their messages were written. */
  replace(rows: readonly ConversationRow[]): void {
    for (const row of rows) {
      this.add(row);
      this.changed.add(row.id);
    }
  }

  /** Stored conversations whose ends moved. */
  updates(): ConversationRow[] {
    const isNew = new Set(this.inserts.map((row) => row.id));
    return [...this.changed].flatMap((id) => {
      const row = this.byId.get(id);
      return row === undefined || (isNew.has(id) && !this.stale.has(id)) ? [] : [row];
    });
  }

  /** Leads with reread conversations: their projection may have changed after they were inserted. */
  staleLeads(): Set<string> {
    return new Set([...this.stale].flatMap((id) => this.byId.get(id)?.leadId ?? []));
  }

  private offer(id: string, timestamp: number, source: MessageSource): void {
    const row = this.byId.get(id);
    if (row === undefined) return;
    if (isEarlier(timestamp, source, row)) {
      row.firstMessageAt = timestamp;
      row.firstMessageSource = source;
      this.changed.add(id);
    }
    if (row.lastMessageAt === null || timestamp > row.lastMessageAt) {
      row.lastMessageAt = timestamp;
      this.changed.add(id);
    }
  }

  private add(row: ConversationRow): void {
    const known = this.byPair.get(row.connectionId, row.leadId);
    // Without the unique index there may be two, of which `dedupe` keeps the earlier one.
    if (known === undefined || known.id === row.id || isEarlierThan(row, known))
      this.byPair.set(row.connectionId, row.leadId, row);
    this.byId.set(row.id, row);
  }
}

function isEarlierThan(a: ConversationRow, b: ConversationRow): boolean {
  const [first, second] = [a, b].map(({ firstMessageAt }) => firstMessageAt ?? Infinity);
  if (first === undefined || second === undefined || first === second) return a.id < b.id;
  return first < second;
}

/** Several first messages in one second: live before echo before history, as in recomputeConversations. */
const TIE_ORDER: readonly MessageSource[] = ['live', 'app_echo', 'history'];

function isEarlier(timestamp: number, source: MessageSource, row: ConversationRow): boolean {
  if (row.firstMessageAt === null || row.firstMessageSource === null) return true;
  if (timestamp !== row.firstMessageAt) return timestamp < row.firstMessageAt;
  return TIE_ORDER.indexOf(source) < TIE_ORDER.indexOf(row.firstMessageSource);
}

/** Loads the conversations of all stored people in the batch, and makes those that messages and live reactions need. */
export async function openConversations(
  work: BatchWork,
  named: readonly NamedPeople[],
): Promise<Conversations> {
  // Also of known people without a lead: it may have been deleted from under its conversations.
  const leadIds = named.flatMap(({ plan }) =>
    plan.people.filter((person) => !person.isNew).map((person) => person.id),
  );
  const conversations = new Conversations(await readConversationsOfLeads(work.tx, leadIds));
  for (const item of work.items) {
    const { fact } = item;
    if (fact.kind === 'message' || (fact.kind === 'reaction' && fact.live))
      conversationOf(work, conversations, item);
  }
  return conversations;
}

/** The conversation of an item; null if the item names no contact. */
export function conversationOf(
  work: BatchWork,
  conversations: Conversations,
  { fact, connection }: Item,
): { conversationId: string; leadId: string } | null {
  if (fact.kind !== 'message' && fact.kind !== 'reaction') return null;
  const person = work.personOf(connection, fact.counterpart);
  if (person === null) return null;
  const { id } = conversations.ensure(person.id, connection.id, work.settings.newId);
  return { conversationId: id, leadId: person.id };
}
