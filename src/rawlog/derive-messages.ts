import type { Fact } from '../model/facts.js';
import { isDeviceOrigin } from '../model/raw-entry.js';
import type { Sql } from '../store/sql.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import { readIdentitiesOfPeople } from '../store/tables/leads.js';
import type { StoredMessageRow } from '../store/tables/messages.js';
import type { EntrySelection } from '../store/tables/stored-entries.js';
import { readReactions, readRevisions, type ReactionRow } from '../store/tables/amendments.js';
import {
  amendState,
  applyAmendment,
  OVERDUE_MS,
  payloadOf,
  ReactionBook,
  type AmendmentPayload,
} from '../rules/amendments.js';
import { rectify, rectifyEdits } from '../rules/contradictions.js';
import { groupBy } from '../rules/group-by.js';
import { keyOf, MessageBook, stateOfRow } from '../rules/message-book.js';
import { showsOtherwise } from '../rules/message-projection.js';
import type { MessageState, Version } from '../rules/message-state.js';
import { leastSyncSource } from '../rules/sync-source.js';
import { LeadFinder } from './lead-finder.js';
import { heldEdits, heldItems } from './removed-items.js';
import type { DecodedEntry, RawLog } from './raw-log.js';

/** Rows that are derived together: their leads' entries are read once for all of them. */
const TOGETHER = 2_000;
/** Facts that are placed together. */
const FACTS = 1_000;

const NO_EDITS: ReadonlyMap<string, Version> = new Map();

/** What the raw log makes of a message, beside what the row says. */
export interface DerivedMessage {
  row: StoredMessageRow;
  /** The row as a state, with its earlier versions. */
  state: MessageState;
  /**
   * From all processed entries about it: messages, edits and revokes, not statuses. Null if there are none, or if one that may hold
   * some of it has no body any more: the rest of the log cannot say what the row should be.
   */
  truth: MessageState | null;
  /** The same with pending and failed entries: some of their items may be applied already. */
  truthToCome: MessageState | null;
  /** Without a truth, the versions after edits that the rest of the log decides alone, by their ids; and with pending and failed entries. */
  edits: ReadonlyMap<string, Version>;
  editsToCome: ReadonlyMap<string, Version>;
  /** The raw log's version of reactions that are stored differently. */
  reactions: ReactionRow[];
  /** The processed entries that hold it. */
  entryIds: string[];
  /** The row's entry names another lead, and no entry names the row's own: another program moved the row. */
  isMisplaced: boolean;
}

/**
 * Derives messages from the raw log alone, with a replay's merge (M2, M5, M10). Reads every entry that names one of
 * their leads, and each row's own, so this is for messages in doubt, not for all.
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

/**
 * The row according to the raw log; null for a correct row, by processed entries or the rest of the log. A revoke known
 * only to the row is another program's: its visible content stays. Of a row without a truth only the edits that are still
 * there are corrected, and all else keeps its evidence: nothing can bring it back.
 */
export function rectifiedBy(derived: DerivedMessage): MessageState | null {
  const { row, state, truth, truthToCome } = derived;
  if (truth === null || truthToCome === null) return rectifiedByEdits(derived);
  const isRevoked = truth.revokedAt !== null || truthToCome.revokedAt !== null;
  const isRight =
    !((row.deletedAt === null || isRevoked) && showsOtherwise(row, state)) &&
    [truth, truthToCome].some((known) => !rectify(copyOf(state), known));
  if (isRight) return null;
  const rectified = copyOf(state);
  rectify(rectified, truth);
  return rectified;
}

function rectifiedByEdits({ state, edits, editsToCome }: DerivedMessage): MessageState | null {
  if ([edits, editsToCome].some((known) => !rectifyEdits(copyOf(state), known))) return null;
  const rectified = copyOf(state);
  rectifyEdits(rectified, edits);
  return rectified;
}

function copyOf(state: MessageState): MessageState {
  return { ...state, ranks: { ...state.ranks }, edits: state.edits === null ? null : new Map(state.edits) };
}

interface Told {
  fact: Fact;
  /** Its Meta field or Baileys event. */
  field: string;
  connection: ConnectionRow;
  entryId: string;
  /** A linked device sent its entry. */
  isFromDevice: boolean;
}

async function derive(sql: Sql, log: RawLog, rows: readonly StoredMessageRow[]): Promise<DerivedMessage[]> {
  const identities = await readIdentitiesOfPeople(sql, [...new Set(rows.map(({ leadId }) => leadId))]);
  const chatIds = [...new Set(identities.map(({ value }) => value))];
  const done = new Derivation(sql, rows);
  const all = new Derivation(sql, rows);
  const seen = new Set<string>();
  const unread = new UnreadEntries(identities);
  const selections: EntrySelection[] = [
    ...(chatIds.length === 0 ? [] : [{ statuses: [], chatIds }]),
    { statuses: [], ids: [...new Set(rows.flatMap(({ batchId }) => batchId ?? []))] },
  ];
  for await (const decoded of entriesOf(log, selections)) {
    const { id, status, origin } = decoded.entry;
    if (seen.has(id)) continue;
    seen.add(id);
    unread.add(decoded);
    const isDone = status !== 'pending' && status !== 'failed';
    const isFromDevice = isDeviceOrigin(origin);
    for (const { section, connection, pending } of decoded.sections) {
      if (connection === null || pending !== null) continue;
      for (const fact of section.facts) {
        const told = { fact, field: section.field, connection, entryId: id, isFromDevice };
        if (isDone) await done.add(told);
        await all.add(told);
      }
    }
  }
  await done.finish();
  await all.finish();
  const amended = rows.filter((row) => row.editedAt !== null || row.deletedAt !== null);
  const read = await readRevisions(
    sql,
    amended.map(({ id }) => id),
  );
  const revisions = groupBy(read, ({ messageId }) => messageId);
  const stored = new ReactionBook(
    await readReactions(
      sql,
      rows.map(({ connectionId, externalId }) => ({ connectionId, id: externalId })),
    ),
  );
  return rows.map((row): DerivedMessage => {
    const state = stateOfRow(row, revisions.get(row.id) ?? []);
    if (unread.mayHold(row)) {
      const decided = (versions: ReadonlyMap<string, Version>): Map<string, Version> =>
        new Map([...versions].filter(([, { at }]) => !unread.mayHoldEdit(row, at)));
      return {
        row,
        state,
        truth: null,
        truthToCome: null,
        edits: decided(done.editsOf(row, state)),
        editsToCome: decided(all.editsOf(row, state)),
        reactions: [],
        entryIds: [],
        isMisplaced: false,
      };
    }
    return {
      row,
      state,
      truth: done.truthOf(row),
      truthToCome: all.truthOf(row),
      edits: NO_EDITS,
      editsToCome: NO_EDITS,
      reactions: done.reactionsOf(row).filter((one) => {
        const [is, toCome] = [stored.get(one), all.reactionsOf(row)];
        return (
          is?.at === one.at &&
          is.emoji !== one.emoji &&
          // A pending entry's content may be applied already.
          !toCome.some(
            ({ reactor, at, emoji }) => reactor === is.reactor && at === is.at && emoji === is.emoji,
          )
        );
      }),
      entryIds: done.entriesOf(row),
      isMisplaced: all.truthOf(row) === null && all.isToldElsewhere(row),
    };
  });
}

/**
 * The people and messages of entries that were applied and have no body any more, and until when such entries with edits came: none of
 * them can hold an edit that was made later.
 */
class UnreadEntries {
  private readonly ids = new Set<string>();
  private readonly leads = new Set<string>();
  /** By entry and by lead, ms since 1970. */
  private readonly editsUntil = new Map<string, number>();
  private readonly leadsOf: ReadonlyMap<string, readonly { personId: string }[]>;

  constructor(identities: readonly { value: string; personId: string }[]) {
    this.leadsOf = groupBy(identities, ({ value }) => value);
  }

  add({ entry, failure }: DecodedEntry): void {
    if ((failure?.reason !== 'pruned' && failure?.reason !== 'erased') || !heldItems(entry.removedCounters))
      return;
    const leads = entry.chatIds.flatMap((name) =>
      (this.leadsOf.get(name) ?? []).map(({ personId }) => personId),
    );
    this.ids.add(entry.id);
    for (const lead of leads) this.leads.add(lead);
    if (!heldEdits(entry.removedCounters)) return;
    for (const key of [entry.id, ...leads])
      this.editsUntil.set(key, Math.max(this.editsUntil.get(key) ?? -Infinity, entry.receivedAt ?? Infinity));
  }

  mayHold({ batchId, leadId }: StoredMessageRow): boolean {
    return this.leads.has(leadId) || (batchId !== null && this.ids.has(batchId));
  }

  /** Whether they may say something of a row's edit that was made then: the same edit comes more than once, and not always alike. */
  mayHoldEdit({ batchId, leadId }: StoredMessageRow, at: number): boolean {
    return [leadId, batchId ?? leadId].some(
      (key) => (this.editsUntil.get(key) ?? -Infinity) >= at - OVERDUE_MS,
    );
  }
}

async function* entriesOf(
  log: RawLog,
  selections: readonly EntrySelection[],
): AsyncGenerator<DecodedEntry, void, undefined> {
  for (const selection of selections) yield* log.entries(selection);
}

/** Places the log's facts about some rows, as if none of them were stored. */
class Derivation {
  private readonly leads: LeadFinder;
  private readonly book = new MessageBook([], new Map());
  private readonly reactions = new ReactionBook([]);
  private readonly entryIds = new Map<string, Set<string>>();
  /** By key of a message: the entries that tell it of other leads than its rows'. */
  private readonly elsewhere = new Map<string, Set<string>>();
  /** By key of a message: its edits, and whose message they are about. */
  private readonly edits = new Map<string, { lead: string; payload: AmendmentPayload }[]>();
  private messages: Told[] = [];
  /** Applied last: the message that they change may be in a later entry. */
  private readonly amendments: Told[] = [];
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

  async add(told: Told): Promise<void> {
    const { fact, connection } = told;
    const ids = idsOf(fact).filter((id) => this.wanted.has(keyOf(connection.id, id)));
    if (ids.length === 0) return;
    for (const id of ids) {
      const key = keyOf(connection.id, id);
      this.entryIds.set(key, (this.entryIds.get(key) ?? new Set()).add(told.entryId));
    }
    if (fact.kind !== 'message') this.amendments.push(told);
    else if (this.messages.push(told) >= FACTS) await this.placeAll(this.messages.splice(0));
  }

  async finish(): Promise<void> {
    await this.placeAll(this.messages.splice(0));
    await this.placeAll(this.amendments.splice(0));
  }

  entriesOf({ connectionId, externalId, stanzaId }: StoredMessageRow): string[] {
    const ids = [externalId, stanzaId].flatMap((id) =>
      id === null ? [] : [...(this.entryIds.get(keyOf(connectionId, id)) ?? [])],
    );
    return [...new Set(ids)];
  }

  private async placeAll(told: readonly Told[]): Promise<void> {
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

  /** The row's versions by the edits of its contact alone, whether or not the log still has the message. */
  editsOf(
    { connectionId, externalId, stanzaId, leadId }: StoredMessageRow,
    state: MessageState,
  ): Map<string, Version> {
    const told: MessageState = { ...state, edits: null };
    for (const id of [externalId, stanzaId])
      for (const { lead, payload } of id === null ? [] : (this.edits.get(keyOf(connectionId, id)) ?? []))
        if (lead === leadId) amendState(payload, told, this.reactions);
    return told.edits ?? new Map<string, Version>();
  }

  /** What the log says that people have reacted, to the row's id. */
  reactionsOf(row: StoredMessageRow): ReactionRow[] {
    const { connectionId, externalId: targetExternalId } = row;
    const told = this.truthOf(row)?.externalId;
    return this.reactions
      .all()
      .filter((one) => one.connectionId === connectionId && one.targetExternalId === told)
      .map((one) => ({ ...one, targetExternalId }));
  }

  isToldElsewhere({ connectionId, externalId, stanzaId, batchId }: StoredMessageRow): boolean {
    return [externalId, stanzaId].some(
      (id) =>
        id !== null && batchId !== null && this.elsewhere.get(keyOf(connectionId, id))?.has(batchId) === true,
    );
  }

  private place({ fact, field, connection, entryId, isFromDevice }: Told): void {
    if (!('counterpart' in fact)) return;
    const leads = this.leads.find(connection.organizationId, fact.counterpart);
    if (fact.kind === 'message') {
      // Another lead's message under the same id is a collision (M9), and judged by itself.
      const ids = [fact.externalId, fact.stanzaId ?? fact.externalId];
      const lead = leads.find((one) => ids.some((id) => this.wanted.get(keyOf(connection.id, id))?.has(one)));
      if (lead === undefined) {
        for (const id of ids) {
          const key = keyOf(connection.id, id);
          this.elsewhere.set(key, (this.elsewhere.get(key) ?? new Set()).add(entryId));
        }
        return;
      }
      const placement = {
        id: '',
        connectionId: connection.id,
        conversationId: lead,
        leadId: lead,
        batchId: null,
        runId: '',
        syncSource: leastSyncSource({ fact, field }, isFromDevice),
      };
      this.book.place(fact, placement, () => false);
    } else {
      const payload = payloadOf(fact);
      const key = keyOf(connection.id, fact.targetExternalId);
      for (const lead of leads) {
        const leaf = this.book.find(connection.id, fact.targetExternalId, lead);
        if (leaf !== null) applyAmendment(payload, leaf, this.reactions);
        if (payload.kind === 'edit') this.edits.set(key, [...(this.edits.get(key) ?? []), { lead, payload }]);
      }
    }
  }
}

/** The ids of the message that a fact is about; none for what does not decide what it says. */
function idsOf(fact: Fact): string[] {
  switch (fact.kind) {
    case 'message':
      return fact.stanzaId === undefined ? [fact.externalId] : [fact.externalId, fact.stanzaId];
    case 'edit':
    case 'revoke':
    case 'reaction':
      return [fact.targetExternalId];
    default:
      return [];
  }
}
