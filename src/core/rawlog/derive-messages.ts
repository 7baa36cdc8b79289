import { readRevisions } from '../../store/amendments.js';
import type { StoredMessageRow } from '../../store/messages.js';
import { readIdentitiesOfPersons } from '../../store/persons.js';
import type { Sql } from '../../store/sql.js';
import type { Fact } from '../../model/facts.js';
import type { ConnectionRow } from '../../store/connections.js';
import { applyAmendment, payloadOf, ReactionBook } from '../plan/amendments.js';
import { groupBy } from '../plan/group-by.js';
import { keyOf, MessageBook, stateOfRow } from '../plan/message-book.js';
import type { MessageState } from '../plan/message-state.js';
import { LeadFinder } from './lead-finder.js';
import type { RawLog } from './raw-log.js';

/** Rows that are derived together: their leads' entries are read once for all of them. */
const TOGETHER = 2_000;
/** Facts that are placed together. */
const FACTS = 1_000;

/** What the raw log makes of a message, beside what the row says. */
export interface DerivedMessage {
  row: StoredMessageRow;
  /** The row as a state, with its earlier versions. */
  state: MessageState;
  /** By everything that the raw log says about it: messages, edits and revokes, not statuses. Null where it says nothing. */
  truth: MessageState | null;
}

/**
 * Derives messages from the raw log alone, by the same merge as a replay (M2, M5, M10). Every entry that names one of their
 * leads is read, so this is for the messages in doubt, not for all.
 */
export async function deriveMessages(
  sql: Sql,
  log: RawLog,
  rows: readonly StoredMessageRow[],
): Promise<DerivedMessage[]> {
  const derived: DerivedMessage[] = [];
  for (let at = 0; at < rows.length; at += TOGETHER)
    derived.push(...(await derive(sql, log, rows.slice(at, at + TOGETHER))));
  return derived;
}

interface Told {
  fact: Fact;
  connection: ConnectionRow;
}

async function derive(sql: Sql, log: RawLog, rows: readonly StoredMessageRow[]): Promise<DerivedMessage[]> {
  const identities = await readIdentitiesOfPersons(sql, [...new Set(rows.map(({ leadId }) => leadId))]);
  const chatIds = [...new Set(identities.map(({ value }) => value))];
  const deriving = new Deriving(sql, rows);
  let told: Told[] = [];
  // Amendments last: what they amend may stand in a later entry.
  const amendments: Told[] = [];
  for await (const { sections } of chatIds.length === 0 ? [] : log.entries({ statuses: [], chatIds })) {
    for (const { section, connection, pending } of sections) {
      if (connection === null || pending !== null) continue;
      for (const fact of section.facts) {
        if (!deriving.concerns(fact, connection)) continue;
        (fact.kind === 'message' ? told : amendments).push({ fact, connection });
      }
    }
    if (told.length >= FACTS) {
      await deriving.add(told);
      told = [];
    }
  }
  await deriving.add(told);
  await deriving.add(amendments);
  const revisions = groupBy(
    await readRevisions(
      sql,
      rows.filter((row) => row.editedAt !== null || row.deletedAt !== null).map(({ id }) => id),
    ),
    ({ messageId }) => messageId,
  );
  return rows.map((row) => ({
    row,
    state: stateOfRow(row, revisions.get(row.id) ?? []),
    truth: deriving.truthOf(row),
  }));
}

/** Places what the log says about some rows, as if none of them were stored. */
class Deriving {
  private readonly leads: LeadFinder;
  private readonly book = new MessageBook([], new Map());
  private readonly reactions = new ReactionBook([]);
  /** The leads whose messages are called so. */
  private readonly wanted = new Map<string, Set<string>>();

  constructor(sql: Sql, rows: readonly StoredMessageRow[]) {
    this.leads = new LeadFinder(sql);
    for (const { connectionId, externalId, stanzaId, leadId } of rows) {
      for (const id of [externalId, stanzaId]) {
        if (id === null) continue;
        const key = keyOf(connectionId, id);
        this.wanted.set(key, (this.wanted.get(key) ?? new Set()).add(leadId));
      }
    }
  }

  concerns(fact: Fact, { id }: ConnectionRow): boolean {
    switch (fact.kind) {
      case 'message':
        return (
          this.wanted.has(keyOf(id, fact.externalId)) ||
          (fact.stanzaId !== undefined && this.wanted.has(keyOf(id, fact.stanzaId)))
        );
      case 'edit':
      case 'revoke':
        return this.wanted.has(keyOf(id, fact.targetExternalId));
      default:
        return false;
    }
  }

  async add(told: readonly Told[]): Promise<void> {
    await this.leads.load(
      told.flatMap(({ fact, connection: { organizationId } }) =>
        'counterpart' in fact ? [{ organizationId, identities: fact.counterpart }] : [],
      ),
    );
    for (const one of told) this.place(one);
  }

  truthOf({ connectionId, externalId, stanzaId, leadId }: StoredMessageRow): MessageState | null {
    for (const id of [externalId, stanzaId]) {
      const leaf = id === null ? null : this.book.find(connectionId, id, leadId);
      if (leaf !== null && leaf.state.leadId === leadId) return leaf.state;
    }
    return null;
  }

  private place({ fact, connection }: Told): void {
    if (!('counterpart' in fact)) return;
    const leads = this.leads.find(connection.organizationId, fact.counterpart);
    if (fact.kind === 'message') {
      // What another lead claims under the same id is a collision, and its own affair (M9).
      const ids = [fact.externalId, fact.stanzaId ?? fact.externalId];
      const lead = leads.find((one) => ids.some((id) => this.wanted.get(keyOf(connection.id, id))?.has(one)));
      if (lead === undefined) return;
      const placement = {
        id: '',
        connectionId: connection.id,
        conversationId: lead,
        leadId: lead,
        batchId: null,
        runId: '',
        syncSource: 'batch_recover' as const,
      };
      this.book.place(fact, placement, () => false);
    } else if (fact.kind === 'edit' || fact.kind === 'revoke') {
      for (const lead of leads) {
        const leaf = this.book.find(connection.id, fact.targetExternalId, lead);
        if (leaf !== null) applyAmendment(payloadOf(fact), leaf, this.reactions);
      }
    }
  }
}
