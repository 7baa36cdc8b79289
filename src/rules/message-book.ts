import { decodeWamid, isWamid } from '../identity/wamid.js';
import type { MessageFact } from '../model/facts.js';
import type { MessageRow, StoredMessageRow } from '../store/tables/messages.js';
import { ConnectionMap } from './connection-map.js';
import { isDisowned } from './contradictions.js';
import { isAdopted, packEvidence, unpackEvidence } from './evidence.js';
import { mergeErrors } from './merge-values.js';
import { projectMessage, restoreContent, type Revision } from './message-projection.js';
import { absorbState, areTwins, stateOfFact, type MessageState, type Placement } from './message-state.js';

/** One message in a batch, with its stored row. */
export interface TrackedMessage {
  state: MessageState;
  stored: StoredMessageRow | null;
  changed: boolean;
  /** Merged into another message (M10), or its id went to another conversation (M9): its row is deleted. */
  gone: boolean;
  /** The message that this one was merged into. */
  mergedInto?: TrackedMessage;
}

export type Placed =
  | { outcome: 'created' | 'updated' | 'unchanged'; tracked: TrackedMessage }
  /** Another conversation holds the id (M9). `loser`: the lead that loses its copy. */
  | { outcome: 'collision'; tracked: TrackedMessage; loser: 'incoming' }
  | { outcome: 'collision'; tracked: TrackedMessage; loser: 'stored' };

/** The former place of a message that lost its id to another conversation (M9). */
export interface Displaced {
  leadId: string;
  conversationId: string;
}

/** One side of a collision. `isAdopted`: known only from a CRM, not from WhatsApp. */
export interface Claimant {
  leadId: string;
  isAdopted: boolean;
}

/**
 * Decides a collision: true if the incoming message's lead has the better claim to the id. `wamidPhone`: the customer's
 * phone in the wamid, if either copy has a decodable one.
 */
export type CollisionJudge = (wamidPhone: string | null, incoming: Claimant, stored: Claimant) => boolean;

/**
 * The messages of one batch: the stored ones, updated by the batch's facts. Finds a fact's row (M1, M9, M10) and merges
 * the fact into it (M2). Pure: reading and writing happen outside.
 */
export class MessageBook {
  private readonly byExternalId = new ConnectionMap<TrackedMessage>();
  private readonly byStanzaId = new ConnectionMap<TrackedMessage[]>();
  private readonly trackedMessages: TrackedMessage[] = [];
  /** External ids replaced by a wamid: the conversation's reactions and tickets that name them are renamed too. */
  readonly renamed: { connectionId: string; conversationId: string; from: string; to: string }[] = [];
  readonly displaced: Displaced[] = [];

  constructor(rows: readonly StoredMessageRow[], revisions: ReadonlyMap<string, Revision[]>) {
    for (const row of rows) this.addStored(row, revisions.get(row.id) ?? []);
  }

  /** A row may be found twice: by its id, by its stanza id, as a twin in a merged conversation. */
  private addStored(row: StoredMessageRow, revisions: readonly Revision[]): void {
    const known = this.byExternalId.get(row.connectionId, row.externalId);
    if (known !== undefined) return;
    const state = stateOfRow(row, revisions);
    // A wamid tells its key id (M10), whatever somebody wrote into the row: WhatsApp Web's copy finds its row by it.
    state.stanzaId = decodeWamid(row.externalId)?.stanzaId ?? row.stanzaId;
    this.add({ state, stored: row, changed: false, gone: false });
  }

  /** Rows found later. */
  load(rows: readonly StoredMessageRow[]): void {
    for (const row of rows) this.addStored(row, []);
  }

  /** Removes a row if its message exists under its own id (M11). */
  drop(tracked: TrackedMessage): void {
    tracked.gone = true;
    this.byExternalId.delete(tracked.state.connectionId, tracked.state.externalId);
  }

  all(): readonly TrackedMessage[] {
    return this.trackedMessages;
  }

  /** The message with this external id, or the lead's only message with this stanza id. */
  find(connectionId: string, id: string, leadId: string | null): TrackedMessage | null {
    const exact = this.byExternalId.get(connectionId, id);
    if (exact !== undefined) return exact;
    const called = this.byStanzaId.get(connectionId, id) ?? [];
    const candidates = called.filter(
      (tracked) => !tracked.gone && (leadId === null || tracked.state.leadId === leadId),
    );
    return candidates.length === 1 ? (candidates[0] ?? null) : null;
  }

  /**
   * Other messages of the conversation with the same stanza id that are not its twins: too far apart, or in the other
   * direction (M10).
   */
  namesakes({ state }: TrackedMessage): TrackedMessage[] {
    const called = this.byStanzaId.get(state.connectionId, state.stanzaId ?? '') ?? [];
    return called.filter((other) => !other.gone && other.state !== state && isOneThread(other.state, state));
  }

  /** Merges one message fact into its row, or makes a new one. */
  place(fact: MessageFact, placement: Placement, judge: CollisionJudge): Placed {
    const incoming = stateOfFact(fact, placement);
    const holder = this.byExternalId.get(incoming.connectionId, incoming.externalId);
    if (holder !== undefined) {
      if (!isOneThread(holder.state, incoming)) return this.collide(fact, incoming, holder, judge);
      const merged = this.merge(holder, incoming, judge);
      return holder.gone ? merged : (this.settleRival(holder, judge) ?? merged);
    }
    const twin = this.findTwin(incoming);
    if (twin !== null) {
      if (!isOneThread(twin.state, incoming)) return this.collide(fact, incoming, twin, judge);
      const renamed = this.adoptWamid(twin, incoming.externalId);
      const merged = this.merge(twin, incoming, judge);
      return renamed ? { outcome: 'updated', tracked: twin } : merged;
    }
    const tracked: TrackedMessage = { state: incoming, stored: null, changed: true, gone: false };
    this.add(tracked);
    return { outcome: 'created', tracked };
  }

  /** Merges rows joined in one conversation by a merge of leads that are one message (M10). */
  mergeTwins(): void {
    for (const tracked of [...this.trackedMessages]) {
      if (tracked.gone || isWamid(tracked.state.externalId)) continue;
      const twin = this.findTwin(tracked.state);
      if (twin !== null && isOneThread(twin.state, tracked.state)) this.join(twin, tracked);
    }
  }

  /** Joins two rows found to be one message: the row with the wamid stays, the one with the key id is deleted. */
  private join(a: TrackedMessage, b: TrackedMessage): void {
    const [kept, lost] = isWamid(a.state.externalId) ? [a, b] : [b, a];
    absorbState(kept.state, lost.state);
    kept.changed = true;
    lost.mergedInto = kept;
    this.remove(lost, kept);
  }

  /** Decides between two rows found to claim one id from two conversations: the better claim stays (M9). */
  private separate(a: TrackedMessage, b: TrackedMessage, judge: CollisionJudge): void {
    const wamid = [a, b].find((tracked) => isWamid(tracked.state.externalId))?.state.externalId ?? '';
    const aWins = judge(decodeWamid(wamid)?.phone ?? null, claimantOf(a.state), claimantOf(b.state));
    const [kept, lost] = aWins ? [a, b] : [b, a];
    const { leadId, conversationId } = lost.state;
    this.displaced.push({ leadId, conversationId });
    this.remove(lost, kept);
  }

  /**
   * Two rows of one message in two conversations (M10): the merge makes none, but the first copy may have been stored while the key
   * id in the other's row was wrong. Null if there is no other.
   */
  private settleRival(tracked: TrackedMessage, judge: CollisionJudge): Placed | null {
    const rival = this.findTwin(tracked.state);
    if (rival === null || isOneThread(rival.state, tracked.state)) return null;
    this.separate(tracked, rival, judge);
    return tracked.gone
      ? { outcome: 'collision', tracked: rival, loser: 'incoming' }
      : { outcome: 'collision', tracked, loser: 'stored' };
  }

  private remove(lost: TrackedMessage, kept: TrackedMessage): void {
    lost.gone = true;
    const { connectionId, conversationId, externalId } = lost.state;
    this.byExternalId.delete(connectionId, externalId);
    this.renamed.push({ connectionId, conversationId, from: externalId, to: kept.state.externalId });
  }

  private merge(tracked: TrackedMessage, incoming: MessageState, judge: CollisionJudge): Placed {
    const { timestamp, direction } = tracked.state;
    const isRenamed = tracked.stored !== null && tracked.stored.stanzaId !== tracked.state.stanzaId;
    const changed = absorbState(tracked.state, incoming) || isRenamed;
    if (changed) tracked.changed = true;
    // Better evidence changed the time or direction: a row that was too far apart may now be a twin.
    if (tracked.state.timestamp !== timestamp || tracked.state.direction !== direction) {
      const twin = this.findTwin(tracked.state);
      if (twin !== null && isOneThread(twin.state, tracked.state)) this.join(tracked, twin);
      else if (twin !== null) this.separate(tracked, twin, judge);
    }
    return { outcome: changed ? 'updated' : 'unchanged', tracked };
  }

  /**
   * Finds the other row of a message (M10). In one conversation the two are one message; in two (a LID with a phone not
   * yet known) they claim one id, as in M9.
   */
  private findTwin(incoming: MessageState): TrackedMessage | null {
    if (incoming.stanzaId === null) return null;
    const called = this.byStanzaId.get(incoming.connectionId, incoming.stanzaId) ?? [];
    const twins = called.filter(
      ({ state, gone }) => !gone && state !== incoming && areTwins(state, incoming),
    );
    return twins.find(({ state }) => isOneThread(state, incoming)) ?? twins[0] ?? null;
  }

  /** The wamid becomes the external id as soon as it is known, because later statuses name it (M10). */
  private adoptWamid(tracked: TrackedMessage, externalId: string): boolean {
    if (!isWamid(externalId)) return false;
    const { connectionId, conversationId, externalId: from } = tracked.state;
    this.byExternalId.delete(connectionId, from);
    tracked.state.externalId = externalId;
    this.byExternalId.set(connectionId, externalId, tracked);
    tracked.changed = true;
    this.renamed.push({ connectionId, conversationId, from, to: externalId });
    return true;
  }

  private collide(
    fact: MessageFact,
    incoming: MessageState,
    holder: TrackedMessage,
    judge: CollisionJudge,
  ): Placed {
    const wamidPhone = fact.wamidPhone ?? decodeWamid(holder.state.externalId)?.phone ?? null;
    // A row that contradicts its own entry has no claim.
    if (!isDisowned(holder.state) && !judge(wamidPhone, claimantOf(incoming), claimantOf(holder.state))) {
      return { outcome: 'collision', tracked: holder, loser: 'incoming' };
    }
    const { id, leadId, conversationId, connectionId, externalId } = holder.state;
    const { edits, revokedAt, metaConfirmedAt, status, errors } = holder.state;
    // Statuses of the id itself stay; the content from the loser's conversation goes to the rejects.
    const kept =
      metaConfirmedAt === null
        ? {}
        : { status, metaConfirmedAt, errors: mergeErrors(incoming.errors, errors) };
    holder.state = { ...incoming, id, edits, revokedAt, ...kept };
    holder.changed = true;
    if (incoming.externalId !== externalId) {
      this.byExternalId.delete(connectionId, externalId);
      this.byExternalId.set(connectionId, incoming.externalId, holder);
      this.renamed.push({ connectionId, conversationId, from: externalId, to: incoming.externalId });
    }
    this.displaced.push({ leadId, conversationId });
    const twin = this.findTwin(holder.state);
    if (twin !== null && isOneThread(twin.state, holder.state)) this.join(holder, twin);
    return { outcome: 'collision', tracked: holder.mergedInto ?? holder, loser: 'stored' };
  }

  private add(tracked: TrackedMessage): void {
    const { connectionId, externalId, stanzaId } = tracked.state;
    this.trackedMessages.push(tracked);
    this.byExternalId.set(connectionId, externalId, tracked);
    if (stanzaId === null) return;
    const called = this.byStanzaId.get(connectionId, stanzaId);
    if (called === undefined) this.byStanzaId.set(connectionId, stanzaId, [tracked]);
    else called.push(tracked);
  }
}

/**
 * Whether two messages of a connection are in one conversation: that of one lead. Without the unique index a lead may have two
 * of them, which `dedupe` joins; the messages of both are the lead's.
 */
function isOneThread(a: Pick<MessageState, 'leadId'>, b: Pick<MessageState, 'leadId'>): boolean {
  return a.leadId === b.leadId;
}

function claimantOf({ leadId, ranks }: MessageState): Claimant {
  return { leadId, isAdopted: isAdopted(ranks) };
}

export function keyOf(connectionId: string, id: string): string {
  return `${connectionId} ${id}`;
}

/** The visible row of a state. */
export function rowOfState(state: MessageState): { row: MessageRow; revisions: Revision[] } {
  const shown = projectMessage(state);
  return {
    row: {
      id: state.id,
      connectionId: state.connectionId,
      externalId: state.externalId,
      conversationId: state.conversationId,
      leadId: state.leadId,
      stanzaId: state.stanzaId,
      direction: state.direction,
      type: shown.type,
      body: shown.body,
      media: shown.media,
      contextExternalId: state.contextExternalId,
      timestamp: state.timestamp,
      status: state.status,
      historyStatus: state.historyStatus,
      errors: state.errors,
      source: state.source,
      syncSource: state.syncSource,
      isSyncInitial: state.isSyncInitial,
      batchId: state.batchId,
      runId: state.runId,
      editedAt: shown.editedAt,
      editExternalId: shown.editExternalId,
      deletedAt: shown.deletedAt,
      metaConfirmedAt: state.metaConfirmedAt,
      rawMeta: shown.rawMeta,
      evidence: packEvidence(state.ranks),
    },
    revisions: shown.revisions,
  };
}

/** The state behind a stored row and its revisions; the inverse of {@link rowOfState}. */
export function stateOfRow(row: MessageRow, revisions: readonly Revision[]): MessageState {
  const state: MessageState = {
    id: row.id,
    connectionId: row.connectionId,
    conversationId: row.conversationId,
    leadId: row.leadId,
    externalId: row.externalId,
    stanzaId: row.stanzaId,
    direction: row.direction,
    timestamp: row.timestamp,
    type: row.type,
    body: row.body,
    media: row.media,
    contextExternalId: row.contextExternalId,
    rawMeta: row.rawMeta,
    ranks: unpackEvidence(row.evidence),
    status: row.status,
    historyStatus: row.historyStatus,
    errors: row.errors,
    source: row.source,
    syncSource: row.syncSource,
    isSyncInitial: row.isSyncInitial,
    metaConfirmedAt: row.metaConfirmedAt,
    edits: null,
    revokedAt: null,
    batchId: row.batchId,
    runId: row.runId,
  };
  if (row.editedAt !== null || row.deletedAt !== null) restoreContent(state, row, revisions);
  return state;
}
