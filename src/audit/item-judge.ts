import { isWamid } from '../identity/wamid.js';
import type { MessageFact } from '../model/facts.js';
import { deriveMessages, rectifiedBy } from '../rawlog/derive-messages.js';
import { LeadFinder } from '../rawlog/lead-finder.js';
import type { RawLog } from '../rawlog/raw-log.js';
import { readRenamedKeys, type HeldMessage } from '../rawlog/renamed-keys.js';
import { personKey, readRivals } from '../rawlog/witnessed-messages.js';
import { messageOf } from '../rules/chat-witness.js';
import { isAdopted, unpackEvidence } from '../rules/evidence.js';
import { contradicts } from '../rules/contradictions.js';
import { groupBy } from '../rules/group-by.js';
import { keyOf, MessageBook, stateOfRow, type Placed } from '../rules/message-book.js';
import { showsOtherwise, type Revision } from '../rules/message-projection.js';
import { absorbState, stateOfFact, type Placement } from '../rules/message-state.js';
import { leastSyncSource } from '../rules/sync-source.js';
import { placeKey, readRejectedItems } from '../store/checks/accounts.js';
import type { Sql } from '../store/sql.js';
import { openMessageLookup, type MessageLookup } from '../store/tables/message-lookup.js';
import { readMessagesById, type StoredMessageRow } from '../store/tables/messages.js';
import { readRevisions } from '../store/tables/amendments.js';
import { differencesOf, isTwinOf } from './differences.js';
import { judgeAmendments } from './judge-amendments.js';
import type { ContestedItem, ItemOutcome, JudgedItem, LogItem } from './outcome.js';
import { SeenKeys, readRowsOf, type Window } from './window.js';

/** The lead id under which a message of an unknown person is placed. */
const NOBODY = '';

/** The rows that one window is about. */
interface Sight {
  book: MessageBook;
  revisions: ReadonlyMap<string, Revision[]>;
  /** Rows by key id, where one message may have two: a wamid and the key id itself (M10). */
  twins: ReadonlyMap<string, readonly StoredMessageRow[]>;
}

/**
 * Determines the outcome of raw-log items with a replay's merge: an item is there if replaying it would change nothing
 * (M1-M3, M5, M9, M10). The merged state is discarded; nothing is written.
 */
export class ItemJudge {
  private readonly leads: LeadFinder;
  private readonly missing = new SeenKeys();
  private lookup: MessageLookup | null = null;

  constructor(private readonly sql: Sql) {
    this.leads = new LeadFinder(sql);
  }

  /**
   * The outcome of every item of a window, those that the rows settle first. `first`: the rows to compare with where an id has
   * several, for want of an index.
   */
  async judge(
    window: Window,
    first: readonly StoredMessageRow[] = [],
  ): Promise<(JudgedItem | ContestedItem)[]> {
    this.lookup ??= await openMessageLookup(this.sql);
    const found = [...first, ...(await readRowsOf(this.sql, window, this.lookup))];
    const people = [...window.messages, ...window.amendments.filter(({ fact }) => fact.kind !== 'status')];
    await this.leads.load(
      people.flatMap(({ fact, connection: { organizationId } }) =>
        'counterpart' in fact ? [{ organizationId, identities: fact.counterpart }] : [],
      ),
    );
    const sight = await this.lookAt([
      ...found,
      ...(await readRenamedKeys(this.sql, this.heldBy(window), found)),
    ]);
    const settled: (JudgedItem | ContestedItem)[] = [];
    const doubts: JudgedItem[] = window.rejected.map((item) => ({ item, outcome: { kind: 'unrecorded' } }));
    const shown = await this.shownOtherwise(window.messages, sight.book);
    for (const item of window.messages) {
      const judged = shown.get(item) ?? this.judgeMessage(item, sight);
      if (isDoubt(judged)) doubts.push(judged);
      else settled.push(judged);
    }
    const recorded = await this.settleDoubts(doubts);
    const { sql, leads, missing } = this;
    const amendments = await judgeAmendments(window.amendments, { sql, leads, book: sight.book, missing });
    return [...settled, ...recorded, ...amendments];
  }

  private heldBy({ messages }: Window): HeldMessage[] {
    return messages.flatMap(({ fact, connection }) =>
      this.leads
        .find(connection.organizationId, fact.counterpart)
        .map((leadId) => ({ connectionId: connection.id, leadId, fact })),
    );
  }

  private async lookAt(rows: readonly StoredMessageRow[]): Promise<Sight> {
    const amended = rows.filter((row) => row.editedAt !== null || row.deletedAt !== null);
    const read = await readRevisions(
      this.sql,
      amended.map(({ id }) => id),
    );
    const revisions = groupBy(read, (revision) => revision.messageId);
    // A lead has one conversation per connection, so the lead stands for it, and conversations need not be looked up.
    const byLead = rows.map((row) => ({ ...row, conversationId: row.leadId }));
    return { book: new MessageBook(byLead, revisions), revisions, twins: twinsAmong(byLead) };
  }

  /** Messages with a made-up id that are there under their own (M11, M12): they need no row, and one that they have is too many. */
  private async shownOtherwise(
    items: readonly LogItem<MessageFact>[],
    book: MessageBook,
  ): Promise<Map<LogItem<MessageFact>, JudgedItem>> {
    const lines = items.flatMap((item) => {
      const { fact, connection } = item;
      if (fact.witness === undefined) return [];
      const { leadId } = this.place(item, book).tracked.state;
      return [{ item, connectionId: connection.id, leadId, witness: fact.witness }];
    });
    const known = lines.filter(({ leadId }) => leadId !== NOBODY);
    const rivals = await readRivals(this.sql, known);
    const shown = known.flatMap((line) => {
      const message = messageOf(line.witness, rivals.get(personKey(line)) ?? []);
      return message === undefined ? [] : [{ item: line.item, id: message.id }];
    });
    const ids = [...new Set(shown.map(({ id }) => id))];
    const rows = new Map(
      (await readMessagesById(this.sql, ids, { lock: false })).map((row) => [row.id, row]),
    );
    return new Map(
      shown.flatMap(({ item, id }): [LogItem<MessageFact>, JudgedItem][] => {
        const holder = rows.get(id);
        return holder === undefined ? [] : [[item, this.judgeShown(item, holder, book)]];
      }),
    );
  }

  private judgeShown(item: LogItem<MessageFact>, holder: StoredMessageRow, book: MessageBook): JudgedItem {
    const { stored } = book.find(item.connection.id, item.fact.externalId, null) ?? { stored: null };
    if (stored === null) return { item, outcome: { kind: 'overruled', row: holder } };
    if (item.entry.isOpen) return { item, outcome: { kind: 'pending' } };
    const differences = [
      { column: 'externalId', word: 'id', row: stored.externalId, log: holder.externalId } as const,
    ];
    return { item, outcome: { kind: 'different', row: stored, differences } };
  }

  private judgeMessage(item: LogItem<MessageFact>, sight: Sight): JudgedItem | ContestedItem {
    const placed = this.place(item, sight.book);
    const { stored } = placed.tracked;
    if (stored === null) return { item, outcome: { kind: 'missing' } };
    const leads = this.leads.find(item.connection.organizationId, item.fact.counterpart);
    // Of two rows of one person, with two leads, either may be the message's: `dedupe` joins the leads.
    if (placed.outcome === 'collision' && !leads.includes(stored.leadId)) {
      const isOverruled = item.fact.origin === 'adopted' && !isAdopted(unpackEvidence(stored.evidence));
      const where = leads.length > 0 ? 'elsewhere' : 'leadless';
      return { item, outcome: { kind: isOverruled ? 'overruled' : where, row: stored } };
    }
    const outcome = holdAgainst(item, stored, sight);
    const isFault = outcome.kind === 'different' || outcome.kind === 'doubled';
    if (outcome.kind === 'contested')
      return item.entry.isOpen ? { item, outcome: { kind: 'there', row: stored } } : { item, outcome };
    return { item, outcome: isFault && item.entry.isOpen ? { kind: 'pending' } : outcome };
  }

  private place(item: LogItem<MessageFact>, book: MessageBook): Placed {
    const { fact, connection } = item;
    const leads = this.leads.find(connection.organizationId, fact.counterpart);
    // Several leads of one person are for `dedupe` to join; the message may be with any of them.
    const leadId =
      leads.length < 2
        ? (leads[0] ?? NOBODY)
        : (leads.find((lead) => isHeldBy(book, connection.id, fact, lead)) ?? leads[0] ?? NOBODY);
    return book.place(
      fact,
      placementIn(item, leadId),
      // Either claimant may be right here: the other one is on record as rejected.
      () => false,
    );
  }

  private async settleDoubts(doubts: readonly JudgedItem[]): Promise<JudgedItem[]> {
    const recorded = await readRejectedItems(
      this.sql,
      doubts.map(({ item }) => ({ webhookLogId: item.entry.id, path: item.fact.path })),
    );
    return doubts.map(({ item, outcome }): JudgedItem => {
      const reason = recorded.get(placeKey(item.entry.id, item.fact.path));
      if (reason !== undefined) {
        const holder = outcome.kind === 'elsewhere' || outcome.kind === 'leadless' ? outcome.row : null;
        return { item, outcome: { kind: 'rejected', reason, holder } };
      }
      if (item.entry.isOpen) return { item, outcome: { kind: 'pending' } };
      if (outcome.kind === 'missing' && item.fact.kind === 'message')
        this.missing.add(keyOf(item.connection.id, item.fact.externalId));
      return { item, outcome };
    });
  }
}

/** Whether only a recorded rejection can explain the outcome. */
function isDoubt(judged: JudgedItem | ContestedItem): judged is JudgedItem {
  return ['missing', 'elsewhere', 'leadless'].includes(judged.outcome.kind);
}

/** The placement for judging: the lead stands in for the conversation, and the columns about the run that wrote the row are blank. */
function placementIn(item: LogItem<MessageFact>, leadId: string): Placement {
  return {
    id: '',
    connectionId: item.connection.id,
    conversationId: leadId,
    leadId,
    batchId: null,
    runId: '',
    syncSource: leastSyncSource(item, item.entry.isFromDevice),
  };
}

/** Compares a message with its row. */
function holdAgainst(
  item: LogItem<MessageFact>,
  stored: StoredMessageRow,
  { revisions, twins }: Sight,
): ItemOutcome | ContestedItem['outcome'] {
  const { fact, connection } = item;
  const said = stateOfFact(fact, placementIn(item, stored.leadId));
  // Compared with the row itself, not with the window's merged state: each item is counted for itself.
  const state = stateOfRow(stored, revisions.get(stored.id) ?? []);
  const renames = isWamid(said.externalId) && !isWamid(state.externalId);
  if (renames) state.externalId = said.externalId;
  if (absorbState(state, said) || renames)
    return { kind: 'different', row: stored, differences: differencesOf(state, stored) };
  // A revoke that the log does not have is another program's: all of the log decides.
  if (contradicts(state, said) || showsOtherwise(stored, state)) return { kind: 'contested', row: stored };
  const twin = twinOf(fact, stored, connection.id, twins);
  return twin === null ? { kind: 'there', row: stored } : { kind: 'doubled', row: stored, twin };
}

/** The duplicate of a row under the key id: the row under the wamid. */
function twinOf(
  fact: MessageFact,
  stored: StoredMessageRow,
  connectionId: string,
  twins: Sight['twins'],
): StoredMessageRow | null {
  if (twins.size === 0 || fact.stanzaId === undefined || isWamid(stored.externalId)) return null;
  return twins.get(keyOf(connectionId, fact.stanzaId))?.find((row) => isTwinOf(row, stored)) ?? null;
}

function twinsAmong(rows: readonly StoredMessageRow[]): Sight['twins'] {
  if (rows.every((row) => isWamid(row.externalId))) return new Map();
  return groupBy(rows, (row) => keyOf(row.connectionId, row.stanzaId ?? ''));
}

function isHeldBy(book: MessageBook, connectionId: string, fact: MessageFact, leadId: string): boolean {
  return [fact.externalId, fact.stanzaId].some(
    (id) => id !== undefined && book.find(connectionId, id, leadId)?.state.leadId === leadId,
  );
}

/** Outcomes with the contested ones settled, in their original order. */
export async function recheckAll(
  sql: Sql,
  log: RawLog,
  judged: readonly (JudgedItem | ContestedItem)[],
): Promise<JudgedItem[]> {
  const contested = judged.filter(isContested);
  if (contested.length === 0) return judged.filter((one): one is JudgedItem => !isContested(one));
  const settled = new Map((await recheck(sql, log, contested)).map((one) => [one.item, one]));
  return judged.flatMap((one) => settled.get(one.item) ?? (isContested(one) ? [] : [one]));
}

export function isContested(judged: JudgedItem | ContestedItem): judged is ContestedItem {
  return judged.outcome.kind === 'contested';
}

/**
 * Settles contested items by everything in the log about their messages: if the log as a whole gives the row as it is,
 * another entry said so, and M2 had to choose; else the row was changed.
 */
export async function recheck(
  sql: Sql,
  log: RawLog,
  contested: readonly ContestedItem[],
): Promise<JudgedItem[]> {
  const ids = new Set(contested.map(({ outcome }) => outcome.row.id));
  const rows = await readMessagesById(sql, [...ids], { lock: false });
  const wrong = new Map<string, ReturnType<typeof differencesOf>>();
  const otherReactions = new Map<string, ReadonlySet<string>>();
  for (const derived of await deriveMessages(sql, log, rows)) {
    const rectified = rectifiedBy(derived);
    if (rectified !== null) wrong.set(derived.row.id, differencesOf(rectified, derived.row));
    otherReactions.set(derived.row.id, new Set(derived.reactions.map(({ reactor }) => reactor)));
  }
  return contested.map(({ item, outcome: { row } }): JudgedItem => {
    const { fact } = item;
    if (fact.kind === 'reaction') {
      const isOther = otherReactions.get(row.id)?.has(fact.reactor) === true;
      return { item, outcome: { kind: isOther ? 'unapplied' : 'applied', row } };
    }
    const differences = wrong.get(row.id);
    const asItIs = item.fact.kind === 'message' ? 'there' : 'applied';
    return {
      item,
      outcome: differences === undefined ? { kind: asItIs, row } : { kind: 'different', row, differences },
    };
  });
}
