import type { SyncSource } from '../../model/enumerations.js';
import type { Fact, Identities, RejectReason, SkipReason, Subject } from '../../model/facts.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { RejectRow } from '../../store/tables/rejects.js';
import type { EntrySlice } from '../batch/batch.js';
import { OwnNumbers } from '../batch/own-number.js';
import { Tally } from '../batch/tally.js';
import { ConnectionNews } from '../../rules/connection-state.js';
import { nodeKey, nodesOf } from '../../rules/identity-evidence.js';
import type { Person } from '../../rules/people.js';

/** Constant for all batches of a run. */
export interface ApplySettings {
  runId: string;
  tickets: 'auto' | 'none';
  syncSource: SyncSource;
  /**
   * Whether to replay entries that wait for a connection as soon as it is known (default true). Not in an import: it
   * handles one contact, and waiting entries stay due for the next replay.
   */
  takesUpWaiting?: boolean;
  /** Whether `undo` can revert the run: all rows that its batches change or create are journaled (default false). */
  isUndoable?: boolean;
  /** Connections whose key ids an earlier batch of the run restored. */
  withRightKeys?: ReadonlySet<string>;
  /** Called when the database has got the longest statement of a batch: what it takes there is free here. */
  meanwhile?: () => void;
  clock: () => number;
  newId: () => string;
}

/** One fact, with its origin. */
export interface Item<F extends Fact = Fact> {
  fact: F;
  connection: ConnectionRow;
  slice: EntrySlice;
  logId: string;
  /** Its Meta field or Baileys event. */
  field: string;
}

/** The state of one batch while it is applied; discarded on rollback. */
export class BatchWork {
  readonly tally = new Tally();
  readonly rejects: RejectRow[] = [];
  readonly items: Item[] = [];
  readonly news = new Map<string, { connection: ConnectionRow; news: ConnectionNews }>();
  /** Rejected items per slice: they decide how its entry ends. */
  readonly rejectedBySlice = new Map<EntrySlice, number>();
  /** Who is who, per organization, by node key. */
  readonly people = new Map<string, Map<string, Person>>();
  /** The same by the names of a fact: each is asked for several times. */
  private readonly persons = new Map<Identities, Person | null>();
  /** Log id per entry key. */
  readonly logIds = new Map<string, string>();
  /** Leads with a message that lost its id to a better claim in this batch. */
  readonly displacedLeads = new Set<string>();
  /** Leads of which a message with a cut id found the whole one (M12). */
  readonly withoutCut = new Set<string>();
  /** Leads of which a message has another time, direction or conversation than before. */
  readonly withMovedMessages = new Set<string>();
  /** Connections with an item about their own number (I4). */
  readonly withOwnNumber = new Set<ConnectionRow>();
  /** Connections with no stored rows about their own number. */
  readonly withoutOwnNumber = new Set<ConnectionRow>();
  requeued = 0;
  /** Log ids of entries applied before, which cannot bring anything new. */
  readonly repeated = new Set<string>();
  /** Log ids of entries that came from outside, and not from the log. */
  readonly brought = new Set<string>();
  /**
   * Rows that contradict a repeated entry although their evidence is no better: changed since, or one of several versions.
   */
  readonly contested = new Set<string>();
  /** Connections whose key ids this batch restores. */
  readonly withRightKeys = new Set<string>();
  readonly ownNumbers = new OwnNumbers();

  constructor(
    readonly tx: Sql,
    readonly settings: ApplySettings,
  ) {}

  skip(item: Item, subject: Subject, reason: SkipReason): void {
    this.tally.skip(subject, reason, item.connection.id);
  }

  /** Counts a reject, puts it on record, and lists it as a problem. */
  reject(
    item: Omit<Item, 'fact' | 'field'>,
    subject: Subject,
    details: { reason: RejectReason; path: string; excerpt: string; externalId: string | null },
  ): void {
    this.tally.reject(subject, details.reason, item.connection.id);
    this.rejectedBySlice.set(item.slice, (this.rejectedBySlice.get(item.slice) ?? 0) + 1);
    this.rejects.push({
      id: this.settings.newId(),
      runId: this.settings.runId,
      webhookLogId: item.logId,
      connectionId: item.connection.id,
      path: details.path,
      subject,
      reason: details.reason,
      externalId: details.externalId,
      excerpt: details.excerpt,
    });
    this.tally.problem({
      origin: item.slice.entry.origin,
      path: details.path,
      reason: details.reason,
      excerpt: details.excerpt,
    });
  }

  newsOf(connection: ConnectionRow): ConnectionNews {
    let known = this.news.get(connection.id);
    if (known === undefined) {
      known = { connection, news: new ConnectionNews(connection.id) };
      this.news.set(connection.id, known);
    }
    return known.news;
  }

  /** Adds who is who in an organization. */
  know(organizationId: string, people: ReadonlyMap<string, Person>): void {
    const known = this.people.get(organizationId);
    if (known === undefined) this.people.set(organizationId, new Map(people));
    else for (const [key, person] of people) known.set(key, person);
    this.persons.clear();
  }

  personOf(connection: ConnectionRow, identities: Identities): Person | null {
    const known = this.persons.get(identities);
    if (known !== undefined) return known;
    const [first] = nodesOf(identities);
    const people = this.people.get(connection.organizationId);
    const person = first === undefined ? null : (people?.get(nodeKey(first)) ?? null);
    this.persons.set(identities, person);
    return person;
  }

  /** Rule I4: the connection's own number, in any of its spellings. */
  isOwnNumber(connection: ConnectionRow, identities: Identities): boolean {
    return this.ownNumbers.has(connection, identities);
  }
}
