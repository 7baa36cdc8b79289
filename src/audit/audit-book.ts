import { subjectOf } from '../rules/fact-traits.js';
import { amount } from '../model/amount.js';
import type { Provider } from '../model/enumerations.js';
import type { ConnectionHint, Fact } from '../model/facts.js';
import { nodesOf } from '../rules/identity-evidence.js';
import { isMisfiled } from '../ingest/batch/prepare-entry.js';
import type { DecodedEntry } from '../rawlog/raw-log.js';
import { keyOf } from '../rules/message-book.js';
import { MessageNames } from '../rules/message-names.js';
import { WRONG_SIGNATURE } from '../rules/signatures.js';
import { kindOfEntryId } from '../store/entry-id.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import type { StoredEntry } from '../store/tables/stored-entries.js';
import { ownersOf, removedMessages, type PartsOf } from './entry-owners.js';
import type { LostEntry } from './source-remedy.js';
import { addCounts, counterOf, newCounts, type AuditCounts } from './audit-counts.js';
import type { AuditView } from './audit-log.js';
import { chunkName, type LoggedChunk } from './chunk-ledger.js';
import { unfoundedWords, type Unfounded } from './claims.js';
import { damageOf, describeDifferences, LEAD_WORDS } from './differences.js';
import { nameKey, type LackingName } from './identity-ledger.js';
import { amendmentWords } from './judge-amendments.js';
import {
  entryRefOf,
  type AuditedItem,
  type AuditedOutcome,
  type EntryRef,
  type JudgedItem,
  type LogItem,
  type Standing,
} from './outcome.js';
import { SeenKeys } from './window.js';

/** Maximum entries listed: beyond that, replaying everything is simpler. */
const MOST_AFFECTED = 20_000;

/** Unprocessed or unreadable entries, by reason. */
interface OpenEntries {
  /** Unreadable in this version; no command fixes it. */
  unreadable: number;
  /** Parts unknown to every decoder. */
  unrecognized: number;
  pending: number;
  unknownConnection: number;
  /** Of those, entries that name no connection at all, or only a WABA with several numbers, and their senders. */
  nameless: { entries: number; providers: Set<Provider> };
  /** Failed once, but readable now. */
  failed: number;
  /** Their bytes differ from those stored. */
  damaged: number;
  /** Imported once, and unreadable now: whether what is in the database is right cannot be proved. */
  unread: number;
  /** Their bodies were removed on purpose. */
  pruned: number;
  /** Found by other contacts, numbers or fields than their bodies name. */
  misfiled: number;
  /** Applied history chunks missing from the ledger. */
  unrecordedChunks: number;
  /** Names of people that are not stored as the log gives them. */
  lackingNames: number;
}

export interface AuditResult {
  /** Entries that were read. */
  entries: number;
  /** All items, including those without a connection. */
  total: AuditCounts;
  byConnection: ReadonlyMap<string, AuditCounts>;
  open: OpenEntries;
  /** The first damaged entry, and its file, if known. */
  damagedExample: LostEntry | null;
  /** An entry whose bytes were replaced by others, with their hash, so that its rows are not in it any more. */
  replacedExample: LostEntry | null;
  /**
   * Entries with an item missing or different in the database: replaying them fixes it. Bounded: with `more`, there are
   * others.
   */
  affectedEntries: { ids: string[]; more: boolean };
}

const MISFILED = 'is found by other contacts, numbers or fields than its body names';
const READ_BEFORE = 'was imported, and cannot be read any more';
const LACKING_WORDS: Readonly<Record<LackingName['why'], string>> = {
  unknown: 'is a name of a contact, and is not stored',
  leadless: 'is a name of a lead, and the lead is gone',
};

/** Counts the outcomes of an audit and reports its findings, each message once. */
export class AuditBook {
  private readonly byConnection = new Map<string, AuditCounts>();
  /** Items of no connection. */
  private readonly unowned = newCounts();
  private readonly open: OpenEntries = {
    unreadable: 0,
    unrecognized: 0,
    pending: 0,
    unknownConnection: 0,
    nameless: { entries: 0, providers: new Set() },
    failed: 0,
    damaged: 0,
    unread: 0,
    pruned: 0,
    misfiled: 0,
    unrecordedChunks: 0,
    lackingNames: 0,
  };
  private readonly missing = new SeenKeys();
  private readonly names = new MessageNames();
  private readonly different = new SeenKeys();
  private readonly there = new SeenKeys();
  private readonly affected = new Set<string>();
  private hasMoreAffected = false;
  private damagedExample: AuditResult['damagedExample'] = null;
  private entries = 0;

  private readonly partsOf: PartsOf;

  constructor(private readonly view: AuditView) {
    this.partsOf = ownersOf(view.connections);
  }

  /** Records an item that is not compared with the database. */
  async outside(
    fact: Fact,
    standing: Exclude<Standing, { kind: 'judged' }>,
    connection: ConnectionRow | null,
    entry: EntryRef,
  ): Promise<void> {
    const counts = this.countsOf(connection?.id ?? null);
    counts.items += 1;
    if (standing.kind === 'pending') {
      counts.pending += 1;
      return;
    }
    counts.skipped += 1;
    if (standing.kind !== 'skipped') return;
    await this.good('skipped', {
      connectionId: connection?.id ?? null,
      subject: fact.path,
      detail: `${entry.origin}: skipped, ${standing.reason}`,
    });
  }

  /** Records an item with its outcome. */
  async judged({ item, outcome }: JudgedItem): Promise<void> {
    const { fact, connection, entry } = item;
    const counts = this.countsOf(connection.id);
    if (subjectOf(fact) === 'message') {
      counts.items += 1;
      const counter = counterOf(outcome.kind);
      if (counter !== null) counts[counter] += 1;
    }
    const about = aboutOf(item);
    switch (outcome.kind) {
      case 'there': {
        const { row } = outcome;
        // Its entry is known: a replay links the row to it. Nor can the row's own be found again if it never was one.
        if (row.batchId === null || (row.batchId !== entry.id && kindOfEntryId(row.batchId) === 'none'))
          this.affect(entry);
        else if (row.batchId !== entry.id) await this.view.namedOtherwise?.(row, entry.id);
        // Once per message: by its row's entry, or, for rows that name none, by the first that holds it.
        if (
          this.view.wantsItems !== true ||
          (row.batchId ?? entry.id) !== entry.id ||
          !this.there.add(row.id)
        )
          return;
        await this.good('there', { ...about, subject: row.externalId, detail: entry.origin });
        return;
      }
      case 'rejected':
        if (subjectOf(fact) !== 'message') return;
        await this.good('rejected', {
          ...about,
          subject: subjectIn(item),
          detail: `${entry.origin}: rejected, ${fact.kind === 'rejected' ? fact.reason : outcome.reason}`,
        });
        return;
      case 'missing':
        this.affect(entry);
        if (!this.missing.add(this.nameOf(item))) return;
        counts.missingMessages += 1;
        await this.tell('missing', { ...about, subject: subjectIn(item), detail: entry.origin }, true);
        return;
      case 'unrecorded':
        await this.unrecorded(item, counts);
        return;
      case 'different':
        await this.differs(
          item,
          outcome.row,
          describeDifferences(outcome.differences),
          damageOf(outcome.row, outcome.differences),
        );
        return;
      case 'overruled':
        await this.good('skipped', {
          ...about,
          subject: subjectIn(item),
          detail: `${entry.origin}: skipped, overruled`,
        });
        return;
      case 'elsewhere':
      case 'leadless':
        await this.differs(item, outcome.row, LEAD_WORDS[outcome.kind]);
        return;
      case 'doubled':
        this.view.concerned?.(outcome.row.id);
        this.view.concerned?.(outcome.twin.id);
        if (!this.different.add(outcome.row.id)) return;
        counts.doubledRows += 1;
        await this.tell(
          'doubled',
          {
            ...about,
            subject: outcome.row.externalId,
            detail: `${entry.origin}: is a duplicate, also stored as ${outcome.twin.externalId}`,
          },
          true,
        );
        return;
      case 'unapplied': {
        this.affect(entry);
        if (outcome.row !== null) this.view.concerned?.(outcome.row.id);
        const what = 'targetExternalId' in fact ? amendmentWords(fact) : fact.kind;
        // A row that lacks several of its updates is one row; an update without a row is one wherever it stands.
        const at = 'at' in fact ? String(fact.at) : '';
        const key = outcome.row?.id ?? `${keyOf(connection.id, subjectIn(item))} ${what} ${at}`;
        if (!this.different.add(key)) return;
        counts.unsettled += 1;
        await this.tell('unapplied', {
          ...aboutOf(item),
          subject: subjectIn(item),
          detail: `${entry.origin}: ${what} is neither applied nor pending`,
        });
        return;
      }
      case 'targetless':
        // Replayed with its message, it is applied again.
        this.affect(entry);
        return;
      case 'applied':
      case 'waiting':
      case 'pending':
        return;
    }
  }

  /** Records a history chunk missing from the ledger. Replaying its entry writes it. */
  async unrecordedChunk(chunk: LoggedChunk): Promise<void> {
    this.affect(chunk.entry);
    if (!this.missing.add(chunkName(chunk))) return;
    this.open.unrecordedChunks += 1;
    const { connectionId, phase, chunkOrder, entry } = chunk;
    await this.tell('unrecorded_chunk', {
      connectionId,
      subject: `${phase}/${chunkOrder}`,
      detail: `${entry.origin}: history chunk ${chunkOrder} of phase ${phase} is not in the ledger`,
    });
  }

  /** Records a name that is not stored as an entry gives it. Replaying all of its entries writes it. */
  async lackingName(name: LackingName): Promise<void> {
    const { connectionId, entry, kind, value, why } = name;
    this.affect(entry);
    if (!this.missing.add(nameKey(name))) return;
    this.open.lackingNames += 1;
    await this.tell('lacking_name', {
      connectionId,
      subject: `${kind} ${value}`,
      detail: `${entry.origin}: ${LACKING_WORDS[why]}`,
    });
  }

  /** Records that another entry holds a row's message while its own does not: replaying it links the row to it. */
  held(connectionId: string, entryId: string): void {
    this.countsOf(connectionId).unfoundedHeld += 1;
    this.affect({ id: entryId });
  }

  /** Records a row that its entry does not hold; each comes once. */
  async unfounded({ row, entry, why, isCopy }: Unfounded): Promise<void> {
    const counts = this.countsOf(row.connectionId);
    counts.unfounded += 1;
    this.view.concerned?.(row.id);
    if (isCopy) counts.unfoundedCopies += 1;
    await this.tell(
      'unfounded',
      {
        entryId: entry.id,
        connectionId: row.connectionId,
        subject: row.externalId,
        detail: `${entry.origin}: ${unfoundedWords(why)}`,
      },
      true,
    );
  }

  /** Reports an entry as a whole if not all of its items can be judged. */
  async entry(decoded: DecodedEntry, scope: ReadonlySet<string>): Promise<void> {
    this.entries += 1;
    const { entry, failure, unrecognized, sections, refused } = decoded;
    const { open } = this;
    const { origin, isOpen } = entryRefOf(entry);
    const mine = sections.find(({ connection }) => connection !== null && scope.has(connection.id));
    const at = { connectionId: mine?.connection?.id ?? null, subject: `log:${entry.id}` };
    if (failure?.reason === 'damaged') {
      open.damaged += 1;
      this.damagedExample ??= { id: entry.id, runId: entry.runId, origin: entry.origin };
      await this.tell('entry_damaged', { ...at, detail: `${origin}: ${failure.message}` });
      return;
    }
    if (failure?.reason === 'pruned' || failure?.reason === 'erased') {
      open.pruned += 1;
      this.removed(entry, scope);
      return;
    }
    if (
      failure !== null &&
      (entry.status === 'processed' || entry.status === 'partial') &&
      failure.reason !== 'bad_signature'
    ) {
      open.unread += 1;
      await this.tell('entry_damaged', { ...at, detail: `${origin}: ${READ_BEFORE}: ${failure.message}` });
      return;
    }
    if (failure !== null) {
      // No command fixes it, and it is on record: reported every time.
      if (entry.status !== 'pending') {
        open.unreadable += 1;
        await this.tell('entry_unreadable', { ...at, detail: `${origin}: ${failure.message}` });
        return;
      }
    } else {
      for (const path of refused) {
        open.unreadable += 1;
        await this.tell('entry_unreadable', { ...at, detail: `${origin}: ${path}: ${WRONG_SIGNATURE}` });
      }
      for (const { path, reason } of unrecognized) {
        open.unrecognized += 1;
        await this.tell('entry_unrecognized', { ...at, detail: `${origin}: ${path}: ${reason}` });
      }
    }
    if (entry.bodyState === 'redacted') this.removed(entry, scope);
    const { restricted } = this.view;
    if (restricted && mine === undefined) return;
    if (isMisfiled(entry, decoded.filing())) {
      this.affect(entry);
      open.misfiled += 1;
      await this.tell('entry_misfiled', { ...at, detail: `${origin}: ${MISFILED}` });
    }
    const of = amount(countMessages(decoded), 'message item');
    const stranger = sections.find(({ pending }) => pending === 'unknown_connection');
    if (stranger !== undefined && !restricted) {
      open.unknownConnection += 1;
      const name = nameIn(stranger.section.connection);
      if (name === null) {
        open.nameless.entries += 1;
        open.nameless.providers.add(decoded.provider);
      }
      const detail = `${origin}: unknown connection (${name ?? 'it names none'}), ${of}`;
      await this.tell(isOpen ? 'entry_unknown_connection' : 'entry_orphaned', { ...at, detail });
    } else if (entry.status === 'failed') {
      open.failed += 1;
      await this.tell('entry_failed', { ...at, detail: `${origin}: failed before, can be read now, ${of}` });
    } else if (entry.status === 'pending') {
      open.pending += 1;
      const detail = `${origin}: pending (${entry.error ?? 'never replayed'}), ${of}`;
      await this.tell('entry_pending', { ...at, detail });
    }
  }

  /** Counts items that nobody can read any more, as the entry's counters tell them. */
  private removed(entry: StoredEntry, scope: ReadonlySet<string>): void {
    for (const { connectionId, items, skipped } of removedMessages(entry, this.partsOf)) {
      if (this.view.restricted && !scope.has(connectionId)) continue;
      const counts = this.countsOf(connectionId === '' ? null : connectionId);
      counts.items += items;
      counts.skipped += skipped;
      counts.pruned += items - skipped;
    }
  }

  result(replacedExample: LostEntry | null): AuditResult {
    const total = newCounts();
    for (const counts of [this.unowned, ...this.byConnection.values()]) addCounts(total, counts);
    return {
      entries: this.entries,
      total,
      byConnection: this.byConnection,
      open: this.open,
      damagedExample: this.damagedExample,
      replacedExample,
      affectedEntries: { ids: [...this.affected], more: this.hasMoreAffected },
    };
  }

  private async unrecorded(item: LogItem, counts: AuditCounts): Promise<void> {
    const { fact, connection, entry } = item;
    if (fact.kind !== 'rejected') return;
    this.affect(entry);
    const isMessage = fact.subject === 'message';
    if (isMessage) counts.missingMessages += 1;
    else counts.unsettled += 1;
    await this.tell(
      'unrecorded',
      {
        connectionId: connection.id,
        subject: fact.path,
        detail: `${entry.origin}: ${fact.subject} rejected (${fact.reason}), and not on record`,
      },
      isMessage,
    );
  }

  private async differs(
    item: LogItem,
    row: { id: string; externalId: string },
    what: string,
    state = what,
  ): Promise<void> {
    const { connection, entry } = item;
    this.affect(entry);
    this.view.concerned?.(row.id);
    if (!this.different.add(row.id)) return;
    this.countsOf(connection.id).differentRows += 1;
    const detail = `${entry.origin}: ${what}`;
    await this.tell('different', { ...aboutOf(item), subject: row.externalId, detail, state }, true);
  }

  private nameOf(item: LogItem): string {
    const { fact, connection } = item;
    return fact.kind === 'message'
      ? this.names.keyOf(connection.id, fact)
      : keyOf(connection.id, subjectIn(item));
  }

  private affect({ id }: Pick<EntryRef, 'id'>): void {
    this.view.affected?.(id);
    if (this.affected.has(id)) return;
    if (this.affected.size < MOST_AFFECTED) this.affected.add(id);
    else this.hasMoreAffected = true;
  }

  private countsOf(connectionId: string | null): AuditCounts {
    if (connectionId === null) return this.unowned;
    let counts = this.byConnection.get(connectionId);
    if (counts === undefined) this.byConnection.set(connectionId, (counts = newCounts()));
    return counts;
  }

  private async good(
    outcome: AuditedOutcome,
    item: Omit<AuditedItem, 'outcome' | 'isMessage'>,
  ): Promise<void> {
    if (this.view.wantsItems === true) await this.tell(outcome, item, true);
  }

  private async tell(
    outcome: AuditedOutcome,
    item: Omit<AuditedItem, 'outcome' | 'isMessage'>,
    isMessage = false,
  ): Promise<void> {
    await this.view.item?.({ outcome, isMessage, ...item });
  }
}

function subjectIn({ fact }: LogItem): string {
  switch (fact.kind) {
    case 'message':
      return fact.externalId;
    case 'rejected':
      return fact.path;
    default:
      return fact.targetExternalId;
  }
}

/** Whose an item is, and its time, as far as it says. */
function aboutOf({ fact, connection }: LogItem): Pick<AuditedItem, 'connectionId' | 'contact' | 'at'> {
  const contact = 'counterpart' in fact ? nodesOf(fact.counterpart)[0]?.value : undefined;
  // Of a revoke, 0 if unknown.
  const time = 'timestamp' in fact ? fact.timestamp : 'at' in fact ? fact.at : 0;
  return { connectionId: connection.id, contact, at: time === 0 ? undefined : time };
}

function countMessages({ sections }: DecodedEntry): number {
  let count = 0;
  for (const { section } of sections)
    for (const fact of section.facts) if (subjectOf(fact) === 'message') count += 1;
  return count;
}

/** How an entry names its connection; null if it does not, or only by a WABA, which may have several numbers. */
function nameIn({ phoneNumberId, displayPhoneNumber, sessionName }: ConnectionHint): string | null {
  return phoneNumberId ?? displayPhoneNumber ?? (sessionName === undefined ? null : `session ${sessionName}`);
}
