import { phoneEquivalents } from '../../identity/phone.js';
import { isWamid } from '../../identity/wamid.js';
import type { MessageFact } from '../../model/facts.js';
import {
  applyAmendment,
  contradictsReaction,
  payloadOf,
  payloadOfPending,
  pendingRow,
  ReactionBook,
  type Amendment,
} from '../../rules/amendments.js';
import { ConnectionMap } from '../../rules/connection-map.js';
import { contradicts, contradictsAmendment } from '../../rules/contradictions.js';
import { nodeKey } from '../../rules/identity-evidence.js';
import { isAdopted } from '../../rules/evidence.js';
import { MessageBook, type Claimant, type TrackedMessage } from '../../rules/message-book.js';
import { showsOtherwise, type Revision } from '../../rules/message-projection.js';
import { stateOfFact, type MessageState } from '../../rules/message-state.js';
import type { Person } from '../../rules/people.js';
import { syncSourceOf } from '../../rules/sync-source.js';
import {
  hasPendingFacts,
  readPendingFacts,
  type PendingFactRow,
  readReactions,
  readRevisions,
} from '../../store/tables/amendments.js';
import {
  haveKeyIds,
  readMessages,
  readTwins,
  type MessageKey,
  type MessageRow,
  type StoredMessageRow,
} from '../../store/tables/messages.js';
import { restoreLostKeys } from './restore-keys.js';
import { readExported, settleCutIds, settleWitnesses } from './settle-witnesses.js';
import type { BatchWork, Item } from './work.js';

/** The result of the batch's facts on the loaded messages. Nothing is written yet. */
export interface FoldedMessages {
  book: MessageBook;
  reactions: ReactionBook;
  pendingInserts: PendingFactRow[];
  pendingDeletes: PendingFactRow[];
  /** Conversations that lost a message to another one with a better claim to its id (M9). */
  displaced: Set<string>;
  /** Live inbound messages: those that may open tickets (T1). */
  liveInbound: Set<TrackedMessage>;
  /** The entries of the batch that hold a message, as they came. */
  heldBy: Map<TrackedMessage, string[]>;
  /** New messages per lead and connection, for the initial_contact logs. */
  created: ConnectionMap<{ leadId: string; connectionId: string; messages: number }>;
}

/** The conversation of a fact; already resolved (every lead of a message has one). */
type ConversationOf = (item: Item) => { conversationId: string; leadId: string } | null;

/** What comes between reading and merging. */
interface Steps {
  /** Loads leads that the batch does not name and that may lose a message to one that it names. */
  loadHolders: (holders: readonly { leadId: string; organizationId: string }[]) => Promise<void>;
  /** Called once all that most batches need is read: merging keeps this thread busy, and not the database. */
  hasRead: () => Promise<void>;
}

/** Merges the batch's messages and amendments with what is stored (M1-M3, M5, M9-M12). */
export async function foldMessages(
  work: BatchWork,
  conversationOf: ConversationOf,
  mergedConversations: readonly string[],
  { loadHolders, hasRead }: Steps,
): Promise<FoldedMessages> {
  const messages = work.items.filter((item): item is Item<MessageFact> => item.fact.kind === 'message');
  const amendments = work.items.filter((item): item is Item<Amendment> => isAmendment(item));
  const isPlaced = (item: Item): boolean => conversationOf(item) !== null;
  const rows = await restoreLostKeys(work, messages, isPlaced, () =>
    readRows(work, messages, amendments, mergedConversations),
  );
  const revisions = await readRevisionsOf(work, rows);
  const book = new MessageBook(rows, revisions);
  if (mergedConversations.length > 0) book.mergeTwins();

  const folded: FoldedMessages = {
    book,
    reactions: new ReactionBook(await readReactions(work.tx, reactionKeys(book, amendments, work))),
    pendingInserts: [],
    pendingDeletes: [],
    displaced: new Set(),
    liveInbound: new Set(),
    heldBy: new Map(),
    created: new ConnectionMap(),
  };
  await loadHolders(holdersOf(work, rows, messages));
  const mayWait = await hasPendingFacts(work.tx);
  const exported = await readExported(work);
  await hasRead();
  const resolver = new CollisionResolver(work.people);
  const witnessed = messages.filter(({ fact }) => fact.witness !== undefined);
  const said = messages.filter(({ fact }) => fact.witness === undefined);
  for (const item of said) placeMessage(work, folded, item, conversationOf, resolver);
  // A copy that lost its id was counted earlier. Its entries are due again: they will find the id taken and report it.
  for (const { leadId, conversationId } of book.displaced) {
    work.displacedLeads.add(leadId);
    folded.displaced.add(conversationId);
  }
  if (mayWait) await applyWaiting(work, folded, messages, amendments);
  for (const item of amendments) amend(work, folded, item);
  const whose = (item: Item): string | null => conversationOf(item)?.leadId ?? null;
  // Those that stay can be what a line of an exported chat shows.
  const cut = await settleCutIds(work, book, witnessed, whose, { ...exported, mergedConversations });
  for (const item of cut) placeMessage(work, folded, item, conversationOf, resolver);
  const unseen = await settleWitnesses(work, book, witnessed, whose, exported.lines);
  for (const item of unseen) placeMessage(work, folded, item, conversationOf, resolver);
  return folded;
}

function isAmendment(item: Item): item is Item<Amendment> {
  switch (item.fact.kind) {
    case 'status':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return true;
    default:
      return false;
  }
}

/**
 * Every row that the facts may be about: by id; for a wamid also by the key id inside it, for a key id also by stanza
 * id (M10); and the twins in conversations joined by a merge of leads.
 */
async function readRows(
  work: BatchWork,
  messages: readonly Item<MessageFact>[],
  amendments: readonly Item<Amendment>[],
  mergedConversations: readonly string[],
): Promise<StoredMessageRow[]> {
  const byExternalId = new ConnectionMap<true>();
  const byStanzaId = new ConnectionMap<true>();
  const connectionIds = new Set(messages.map(({ connection }) => connection.id));
  const mayHaveTwins = await haveKeyIds(work.tx, [...connectionIds]);
  for (const { fact, connection } of messages) {
    byExternalId.set(connection.id, fact.externalId, true);
    if (fact.stanzaId === undefined) continue;
    if (!isWamid(fact.externalId)) byStanzaId.set(connection.id, fact.stanzaId, true);
    else if (mayHaveTwins) byExternalId.set(connection.id, fact.stanzaId, true);
  }
  for (const { fact, connection } of amendments) {
    byExternalId.set(connection.id, fact.targetExternalId, true);
    if (!isWamid(fact.targetExternalId)) byStanzaId.set(connection.id, fact.targetExternalId, true);
  }
  const rows = await readMessages(work.tx, byExternalId.sortedKeys(), byStanzaId.sortedKeys());
  const twins = await readTwins(work.tx, mergedConversations);
  return [...rows, ...twins];
}

async function readRevisionsOf(
  work: BatchWork,
  rows: readonly MessageRow[],
): Promise<Map<string, Revision[]>> {
  const amended = rows.filter((row) => row.editedAt !== null || row.deletedAt !== null).map((row) => row.id);
  const revisions = new Map<string, Revision[]>();
  for (const revision of await readRevisions(work.tx, amended)) {
    const known = revisions.get(revision.messageId);
    if (known === undefined) revisions.set(revision.messageId, [revision]);
    else known.push(revision);
  }
  return revisions;
}

function reactionKeys(
  book: MessageBook,
  amendments: readonly Item<Amendment>[],
  work: BatchWork,
): MessageKey[] {
  const keys = new ConnectionMap<true>();
  for (const { fact, connection } of amendments) {
    if (fact.kind !== 'reaction') continue;
    const leadId = work.personOf(connection, fact.counterpart)?.id ?? null;
    const id =
      book.find(connection.id, fact.targetExternalId, leadId)?.state.externalId ?? fact.targetExternalId;
    keys.set(connection.id, id, true);
  }
  return keys.sortedKeys();
}

/** Leads that hold an id claimed by the batch for another lead: they may lose it, so they must be loaded (M9). */
function holdersOf(
  work: BatchWork,
  rows: readonly MessageRow[],
  messages: readonly Item<MessageFact>[],
): { leadId: string; organizationId: string }[] {
  const strangers = new Map<string, { leadId: string; organizationId: string }>();
  if (rows.length === 0) return [];
  const holders = new ConnectionMap<string>();
  for (const row of rows) {
    if (row.stanzaId !== null) holders.set(row.connectionId, row.stanzaId, row.leadId);
  }
  for (const row of rows) holders.set(row.connectionId, row.externalId, row.leadId);
  for (const { fact, connection } of messages) {
    const own = work.personOf(connection, fact.counterpart)?.id;
    for (const id of [fact.externalId, fact.stanzaId]) {
      const leadId = id === undefined ? undefined : holders.get(connection.id, id);
      if (leadId === undefined || leadId === own) continue;
      strangers.set(leadId, { leadId, organizationId: connection.organizationId });
    }
  }
  return [...strangers.values()];
}

function placeMessage(
  work: BatchWork,
  folded: FoldedMessages,
  item: Item<MessageFact>,
  conversationOf: ConversationOf,
  resolver: CollisionResolver,
): void {
  const { fact, connection } = item;
  const place = conversationOf(item);
  if (place === null) {
    work.reject(item, 'message', {
      reason: 'missing_counterpart',
      path: fact.path,
      excerpt: fact.externalId,
      externalId: fact.externalId,
    });
    return;
  }
  const placed = folded.book.place(
    fact,
    {
      id: work.settings.newId(),
      connectionId: connection.id,
      ...place,
      batchId: item.logId,
      runId: work.settings.runId,
      syncSource: syncSourceOf(item, work.settings.syncSource),
    },
    (wamidPhone, incoming, stored) => resolver.incomingWins(wamidPhone, incoming, stored),
  );
  if (placed.outcome === 'collision' && placed.loser === 'incoming') {
    const { id, externalId, batchId, ranks } = placed.tracked.state;
    // A CRM's statement is no loss if the log has better evidence.
    if (fact.origin === 'adopted' && !isAdopted(ranks)) {
      work.skip(item, 'message', 'overruled');
      return;
    }
    // It may have had the id before the row was moved manually.
    if (placed.tracked.stored !== null && work.repeated.has(item.logId)) work.contested.add(id);
    work.reject(item, 'message', {
      reason: 'id_collision',
      path: fact.path,
      // Both origins; and the id as kept, so that a later merge of the two leads finds the record.
      excerpt: `${fact.externalId} is also in log:${batchId ?? 'elsewhere'}`,
      externalId,
    });
    return;
  }
  const outcome = placed.outcome === 'collision' ? 'updated' : placed.outcome;
  work.tally.message(connection.id, outcome);
  const holders = folded.heldBy.get(placed.tracked);
  if (holders === undefined) folded.heldBy.set(placed.tracked, [item.logId]);
  else if (!holders.includes(item.logId)) holders.push(item.logId);
  if (outcome === 'created') {
    countCreated(folded, placed.tracked);
    // One of them may be the same message with a changed time or direction.
    for (const { state, stored } of folded.book.namesakes(placed.tracked))
      if (stored !== null) work.contested.add(state.id);
  }
  contest(work, item, placed.tracked, (state) =>
    contradicts(state, stateOfFact(fact, { ...state, runId: '' })),
  );
  if (fact.origin === 'live' && fact.direction === 'INBOUND') folded.liveInbound.add(placed.tracked);
}

/** An entry applied before that contradicts the row now: the row was changed since. */
function contest(
  work: BatchWork,
  { logId }: Item,
  { state, stored, changed }: TrackedMessage,
  isContradicted: (state: MessageState) => boolean,
): void {
  if (stored === null || !work.repeated.has(logId)) return;
  // A changed state is written, and with it all that the row shows.
  if (isContradicted(state) || (!changed && showsOtherwise(stored, state))) work.contested.add(state.id);
}

function countCreated(folded: FoldedMessages, { state }: TrackedMessage): void {
  const { connectionId, leadId } = state;
  const known = folded.created.get(connectionId, leadId);
  if (known === undefined) folded.created.set(connectionId, leadId, { leadId, connectionId, messages: 1 });
  else known.messages += 1;
}

/**
 * Statuses, edits, revokes and reactions that arrived before their message are applied as soon as it exists; if another
 * program stored it, as soon as an entry mentions it.
 */
async function applyWaiting(
  work: BatchWork,
  folded: FoldedMessages,
  messages: readonly Item<MessageFact>[],
  amendments: readonly Item<Amendment>[],
): Promise<void> {
  const targets = new ConnectionMap<true>();
  for (const { fact, connection } of messages) {
    targets.set(connection.id, fact.externalId, true);
    if (fact.stanzaId !== undefined) targets.set(connection.id, fact.stanzaId, true);
  }
  for (const { fact, connection } of amendments) {
    const id = fact.targetExternalId;
    if (folded.book.find(connection.id, id, null) !== null) targets.set(connection.id, id, true);
  }
  const waiting = await readPendingFacts(work.tx, targets.sortedKeys());
  if (waiting.length === 0) return;
  await loadReactions(work, folded, waiting);
  for (const row of waiting) {
    const tracked = folded.book.find(row.connectionId, row.targetExternalId, null);
    const payload = payloadOfPending(row);
    if (tracked === null || payload === null) continue;
    applyAmendment(payload, tracked, folded.reactions);
    folded.pendingDeletes.push(row);
  }
}

async function loadReactions(
  work: BatchWork,
  folded: FoldedMessages,
  waiting: readonly PendingFactRow[],
): Promise<void> {
  const keys = new ConnectionMap<true>();
  for (const row of waiting) {
    if (row.kind !== 'reaction') continue;
    const tracked = folded.book.find(row.connectionId, row.targetExternalId, null);
    if (tracked === null) continue;
    keys.set(row.connectionId, tracked.state.externalId, true);
  }
  folded.reactions.load(await readReactions(work.tx, keys.sortedKeys()));
}

function amend(work: BatchWork, folded: FoldedMessages, item: Item<Amendment>): void {
  const { fact, connection } = item;
  const leadId = fact.kind === 'status' ? null : (work.personOf(connection, fact.counterpart)?.id ?? null);
  const tracked = folded.book.find(connection.id, fact.targetExternalId, leadId);
  const payload = payloadOf(fact);
  if (tracked === null) {
    folded.pendingInserts.push(
      pendingRow(payload, {
        connectionId: connection.id,
        externalId: fact.targetExternalId,
        webhookLogId: item.logId,
      }),
    );
    work.tally.amendment(fact.kind, 'pending');
    return;
  }
  work.tally.amendment(
    fact.kind,
    applyAmendment(payload, tracked, folded.reactions) ? 'applied' : 'unchanged',
  );
  contest(work, item, tracked, (state) =>
    payload.kind === 'reaction'
      ? contradictsReaction(payload, state, folded.reactions)
      : contradictsAmendment(state, payload),
  );
}

/**
 * Who keeps an id that two conversations claim (M9). By arrival, the outcome would depend on the order of the log, so
 * the claims decide: WhatsApp's own before a CRM's, the lead whose phone the wamid names, else the lead with the
 * smaller name.
 */
class CollisionResolver {
  private readonly names = new Map<string, string[]>();

  constructor(people: ReadonlyMap<string, ReadonlyMap<string, Person>>) {
    for (const plan of people.values()) {
      for (const person of plan.values()) this.names.set(person.id, person.identities.map(nodeKey).sort());
    }
  }

  incomingWins(wamidPhone: string | null, ours: Claimant, theirs: Claimant): boolean {
    if (ours.isAdopted !== theirs.isAdopted) return theirs.isAdopted;
    const incoming = this.claim(wamidPhone, ours.leadId);
    const stored = this.claim(wamidPhone, theirs.leadId);
    if (incoming.named !== stored.named) return incoming.named;
    return incoming.name < stored.name;
  }

  private claim(wamidPhone: string | null, leadId: string): { named: boolean; name: string } {
    const names = this.names.get(leadId) ?? [];
    const phones = wamidPhone === null ? [] : [wamidPhone, ...phoneEquivalents(wamidPhone)];
    const named = phones.some((phone) => names.includes(`phone:${phone}`));
    // Phones sort before other kinds, and a lead without any name loses.
    const name =
      names.find((candidate) => candidate.startsWith('phone:')) ??
      (names[0] === undefined ? '~' : `~${names[0]}`);
    return { named, name };
  }
}
