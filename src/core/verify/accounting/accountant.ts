import type { MessageFact, RejectedFact } from '../../../model/facts.js';
import { placeKey, readRejectedItems } from '../../../store/checks/accounts.js';
import { readRevisions } from '../../../store/amendments.js';
import type { MessageRow, StoredMessageRow } from '../../../store/messages.js';
import { groupBy } from '../../plan/group-by.js';
import { isWamid, keyOf, MessageBook, type Placed } from '../../plan/message-book.js';
import type { VerifyView } from '../check.js';
import type { Recorder } from '../recorder.js';
import { settleAmendments } from './settle-amendments.js';
import { contradictsDirection, differencesOf, isTwin } from './differences.js';
import { LeadFinder } from './lead-finder.js';
import { SecondLook } from './second-look.js';
import type { StoredLog } from './stored-log.js';
import { ToldOnce } from './told-once.js';
import { readRowsOf, type LogItem, type Window } from './window.js';

/** A lead that nobody is: what a message of somebody unknown is placed under. */
const NOBODY = '';

/** What became of the message items of the raw log; every one is counted once. */
export interface Accounts {
  there: number;
  skipped: number;
  rejected: number;
  missing: number;
  different: number;
  /** In entries that are pending or failed. */
  waiting: number;
}

/** Items that are accounted for only if a reject is on record. */
type Doubt =
  | { kind: 'missing'; item: LogItem<MessageFact> }
  | { kind: 'elsewhere'; item: LogItem<MessageFact>; holder: MessageRow }
  | { kind: 'rejected'; item: LogItem<RejectedFact> };

/**
 * Holds the items of the raw log against the database, a window at a time. The same merge as in a replay decides: an item is
 * there when a replay of it would change nothing (M1-M3, M5, M9, M10). Everything is thrown away; nothing is written.
 */
export class Accountant {
  readonly accounts: Accounts = { there: 0, skipped: 0, rejected: 0, missing: 0, different: 0, waiting: 0 };
  /** Amendments that are neither applied nor waiting, and rejects of other items that are on no record. */
  unsettled = 0;
  /** Items whose message is there under both of its names: what `dedupe` merges. */
  twice = 0;
  /** Items whose message has the other direction, by evidence that is as good: no replay takes sides. */
  turned = 0;
  /** The first of them. */
  turnedExample: string | null = null;
  /** The missing items as messages: one that several entries tell is missed once. */
  missingMessages = 0;
  private readonly leads: LeadFinder;
  private readonly secondLook: SecondLook;
  private readonly missing = new ToldOnce();
  private readonly different = new ToldOnce();

  constructor(
    private readonly view: VerifyView,
    private readonly recorder: Recorder,
    log: StoredLog,
  ) {
    this.leads = new LeadFinder(view.sql);
    this.secondLook = new SecondLook(view.sql, log);
  }

  async settle(window: Window): Promise<void> {
    const rows = await readRowsOf(this.view.sql, window);
    // A lead has one conversation per connection, so the lead stands for it, and nobody has to look conversations up.
    for (const row of rows) row.conversationId = row.leadId;
    const book = new MessageBook(rows, await this.readRevisionsOf(rows));
    const people = [...window.messages, ...window.amendments.filter(({ fact }) => fact.kind !== 'status')];
    await this.leads.load(
      people.flatMap(({ fact, connection: { organizationId } }) =>
        'counterpart' in fact ? [{ organizationId, identities: fact.counterpart }] : [],
      ),
    );
    const doubts: Doubt[] = window.rejected.map((item) => ({ kind: 'rejected', item }));
    const twins = twinsAmong(rows);
    const told = new Set<string>();
    for (const item of window.messages) {
      const doubt = await this.judge(item, book, twins, told);
      if (doubt !== null) doubts.push(doubt);
    }
    await this.settleDoubts(doubts);
    this.unsettled += await settleAmendments(window.amendments, {
      sql: this.view.sql,
      recorder: this.recorder,
      leads: this.leads,
      book,
      missing: this.missing,
    });
  }

  private async readRevisionsOf(
    rows: readonly StoredMessageRow[],
  ): Promise<ConstructorParameters<typeof MessageBook>[1]> {
    const amended = rows.filter((row) => row.editedAt !== null || row.deletedAt !== null);
    const revisions = await readRevisions(
      this.view.sql,
      amended.map((row) => row.id),
    );
    return groupBy(revisions, (revision) => revision.messageId);
  }

  /** Null when the item is settled; else what only a reject on record can explain. */
  private async judge(
    item: LogItem<MessageFact>,
    book: MessageBook,
    twins: ReadonlyMap<string, readonly StoredMessageRow[]>,
    told: Set<string>,
  ): Promise<Doubt | null> {
    const placed = this.place(item, book);
    const { stored } = placed.leaf;
    if (stored === null) return { kind: 'missing', item };
    if (placed.outcome === 'collision') return { kind: 'elsewhere', item, holder: stored };
    const { connection, teller } = item;
    const difference =
      placed.outcome === 'unchanged'
        ? await this.hiddenDifference(item, stored, twins)
        : differencesOf(placed.leaf, stored);
    if (difference !== null) {
      await this.differs(item, stored, difference);
      return null;
    }
    this.accounts.there += 1;
    // Once per message: by the entry that brought it, and, of rows that name none, by every window that tells it.
    if (this.view.wantsItems && (stored.batchId ?? teller.id) === teller.id && !told.has(stored.id)) {
      told.add(stored.id);
      await this.recorder.good({
        connectionId: connection.id,
        subject: stored.externalId,
        detail: teller.origin,
      });
    }
    return null;
  }

  /** What merging does not show: a direction that was changed, and a second row of the same message. */
  private async hiddenDifference(
    { fact, connection, teller }: LogItem<MessageFact>,
    stored: MessageRow,
    twins: ReadonlyMap<string, readonly StoredMessageRow[]>,
  ): Promise<string | null> {
    if (contradictsDirection(fact, stored)) {
      const said = await this.secondLook.directionOf(stored);
      if (said !== stored.direction) {
        if (!teller.isOpen) {
          this.turned += 1;
          this.turnedExample ??= stored.externalId;
        }
        return `differs in direction (${stored.direction}, the log says ${fact.direction})`;
      }
    }
    // Told of the row that is one too many: the one under the key id.
    if (twins.size === 0 || fact.stanzaId === undefined || isWamid(stored.externalId)) return null;
    const twin = twins.get(keyOf(connection.id, fact.stanzaId))?.find((row) => isTwin(row, stored));
    if (twin === undefined) return null;
    if (!teller.isOpen) this.twice += 1;
    return `is there twice, also as ${twin.externalId}`;
  }

  private place({ fact, connection }: LogItem<MessageFact>, book: MessageBook): Placed {
    const leads = this.leads.find(connection.organizationId, fact.counterpart);
    // Several leads of one person are for `dedupe` to join; the message may be with any of them.
    const leadId =
      leads.length < 2
        ? (leads[0] ?? NOBODY)
        : (leads.find((lead) => isHeldBy(book, connection.id, fact, lead)) ?? leads[0] ?? NOBODY);
    return book.place(
      fact,
      {
        id: '',
        connectionId: connection.id,
        conversationId: leadId,
        leadId,
        batchId: null,
        runId: '',
        // The least: how the row came in is for the row to say.
        syncSource: 'batch_recover',
      },
      // Whoever has the better claim, the other one is on record.
      () => false,
    );
  }

  private async differs(item: LogItem<MessageFact>, stored: MessageRow, what: string): Promise<void> {
    if (item.teller.isOpen) {
      this.accounts.waiting += 1;
      return;
    }
    this.accounts.different += 1;
    if (!this.different.add(stored.id)) return;
    await this.recorder.finding('*', {
      connectionId: item.connection.id,
      subject: stored.externalId,
      detail: `${item.teller.origin}: ${what}`,
    });
  }

  private async settleDoubts(doubts: readonly Doubt[]): Promise<void> {
    const recorded = await readRejectedItems(
      this.view.sql,
      doubts.map(({ item }) => ({ webhookLogId: item.teller.id, path: item.fact.path })),
    );
    for (const doubt of doubts) {
      const { fact, teller } = doubt.item;
      if (recorded.has(placeKey(teller.id, fact.path))) await this.countRejected(doubt);
      else await this.settleDoubt(doubt);
    }
  }

  private async countRejected({ kind, item: { fact, connection, teller } }: Doubt): Promise<void> {
    if (fact.kind === 'rejected' && fact.subject !== 'message') return;
    this.accounts.rejected += 1;
    await this.recorder.good({
      connectionId: connection.id,
      subject: fact.kind === 'message' ? fact.externalId : fact.path,
      detail: `${teller.origin}: rejected, ${fact.kind === 'rejected' ? fact.reason : kind}`,
    });
  }

  private async settleDoubt(doubt: Doubt): Promise<void> {
    const { fact, connection, teller } = doubt.item;
    const told = { connectionId: connection.id };
    switch (doubt.kind) {
      case 'elsewhere':
        await this.differs(doubt.item, doubt.holder, 'is with another lead, and no reject says why');
        return;
      case 'missing':
        if (teller.isOpen) {
          this.accounts.waiting += 1;
          return;
        }
        this.accounts.missing += 1;
        if (!this.missing.add(keyOf(connection.id, doubt.item.fact.externalId))) return;
        this.missingMessages += 1;
        await this.recorder.finding('+', {
          ...told,
          subject: doubt.item.fact.externalId,
          detail: teller.origin,
        });
        return;
      case 'rejected': {
        const isMessage = doubt.item.fact.subject === 'message';
        if (teller.isOpen) {
          if (isMessage) this.accounts.waiting += 1;
          return;
        }
        if (isMessage) {
          this.accounts.missing += 1;
          this.missingMessages += 1;
        } else this.unsettled += 1;
        await this.recorder.finding(isMessage ? '+' : '*', {
          ...told,
          subject: fact.path,
          detail: `${teller.origin}: ${doubt.item.fact.subject} rejected (${doubt.item.fact.reason}), and not on record`,
        });
      }
    }
  }
}

/** Rows by the key id of their message, where one message may have two: a wamid and the key id itself (M10). */
function twinsAmong(rows: readonly StoredMessageRow[]): ReadonlyMap<string, readonly StoredMessageRow[]> {
  if (rows.every((row) => isWamid(row.externalId))) return new Map();
  return groupBy(rows, (row) => keyOf(row.connectionId, row.stanzaId ?? ''));
}

function isHeldBy(book: MessageBook, connectionId: string, fact: MessageFact, leadId: string): boolean {
  return [fact.externalId, fact.stanzaId].some(
    (id) => id !== undefined && book.find(connectionId, id, leadId)?.state.leadId === leadId,
  );
}
