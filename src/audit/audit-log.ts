import type { Sql } from '../store/sql.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import { findReplacedEntry } from '../store/tables/altered-entries.js';
import type { StoredMessageRow } from '../store/tables/messages.js';
import type { EntrySelection } from '../store/tables/stored-entries.js';
import type { PreparedSection } from '../ingest/batch/batch.js';
import { findHolders } from './find-holders.js';
import { subjectOf } from '../rules/fact-traits.js';
import { OwnNumbers } from '../ingest/batch/own-number.js';
import { RawLog, type DecodedEntry } from '../rawlog/raw-log.js';
import { AuditBook, type AuditResult } from './audit-book.js';
import { ChunkLedger } from './chunk-ledger.js';
import { ClaimAudit, type ClaimView, type Unfounded } from './claims.js';
import { entryRefOf, standingOf, type AuditedItem, type ContestedItem, type JudgedItem } from './outcome.js';
import { IdentityLedger } from './identity-ledger.js';
import { ItemJudge, isContested, recheck, recheckAll } from './item-judge.js';
import { Window } from './window.js';

/** Items that one look-up is about. */
/** For more rows than these, the entries that hold them are searched next time. */
const MOST_UNFOUNDED = 20_000;
const WINDOW = 1_000;
/** Maximum contested items settled at once; a log with more is settled in portions. */
const SETTLED_AT_ONCE = 200;
const SETTLED_TOGETHER = 2_000;

/** The maximum difference between the clocks of storing machines and the database. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** The scope of an audit. */
export interface AuditView {
  /** Inside a read-only, repeatable-read transaction, so that a concurrent replay cannot look like a fault. */
  sql: Sql;
  /** The connections to audit: all of them, or the one of `--connection`. */
  connections: readonly ConnectionRow[];
  /** True with `--connection`: skips items without a connection. */
  restricted: boolean;
  /** Only what was received since, ms since 1970; null for everything. */
  since: number | null;
  /** Only entries stored or processed since, ms since 1970; null for all. */
  touchedSince: number | null;
  /** Only these entries, which may be very many; absent for all. */
  ids?: readonly string[];
  signal: AbortSignal;
  /** Whether to report correct items, too. */
  wantsItems?: boolean;
  /** Receives every finding, each message once. */
  item?: (item: AuditedItem) => Promise<void> | void;
  /** Receives every entry that has to be replayed, once or more often: of those in the result there are only so many. */
  affected?: (entryId: string) => void;
  /** Receives the row of every message that a finding is about, by its id, once or more often. */
  concerned?: (messageId: string) => void;
  /** Receives every message that is there as an entry says, where its row names another entry, which need not hold it. */
  namedOtherwise?: (row: StoredMessageRow, entryId: string) => Promise<void>;
}

/**
 * Compares every item of the raw log with the database, one by one, per connection. Decodes the whole log again; memory
 * does not grow with it, and nothing is written. Ends early when the signal aborts: the result is then incomplete.
 */
export async function auditLog(view: AuditView): Promise<AuditResult> {
  return new Auditor(view, await RawLog.open(view.sql)).run();
}

class Auditor {
  private readonly book: AuditBook;
  private readonly judge: ItemJudge;
  private readonly ownNumbers = new OwnNumbers();
  private readonly scope: ReadonlySet<string>;
  private readonly claims: ClaimAudit;
  private readonly chunks: ChunkLedger;
  private readonly names: IdentityLedger;
  private window = new Window();
  /** Rows that their entry does not hold, and their connections. */
  private readonly unfounded = new Map<string, string>();
  /** Of bodies with a bad signature: lost only if another entry holds them, too. */
  private readonly refused = new Map<string, Unfounded>();
  private settling: Promise<void> = Promise.resolve();
  private contested: ContestedItem[] = [];
  private settledAtOnce = 0;

  constructor(
    private readonly view: AuditView,
    private readonly log: RawLog,
  ) {
    this.book = new AuditBook(view);
    this.judge = new ItemJudge(view.sql);
    this.scope = new Set(view.connections.map(({ id }) => id));
    this.chunks = new ChunkLedger(view.sql, (chunk) => this.book.unrecordedChunk(chunk));
    this.names = new IdentityLedger(view.sql, this.ownNumbers, (name) => this.book.lackingName(name));
    this.claims = new ClaimAudit(
      claimsOf(view, async (unfounded) => {
        const { row, isCopy, why } = unfounded;
        if (why === 'refused') {
          if (this.refused.size < MOST_UNFOUNDED) this.refused.set(row.id, unfounded);
          return;
        }
        if (!isCopy && this.unfounded.size < MOST_UNFOUNDED) this.unfounded.set(row.id, row.connectionId);
        await this.book.unfounded(unfounded);
      }),
      log,
    );
  }

  async run(): Promise<AuditResult> {
    const { signal } = this.view;
    for await (const decoded of this.log.entries(selectionOf(this.view), { signal })) {
      await this.book.entry(decoded, this.scope);
      await this.claims.entry(decoded);
      for (const section of decoded.sections) await this.addSection(decoded, section);
    }
    await this.flush();
    await this.settling;
    await this.settleContested(0);
    await this.chunks.end();
    await this.names.end();
    if (!signal.aborted) await this.claims.end();
    const holders = await findHolders(this.view.sql, this.log, [...this.unfounded.keys()], { signal });
    for (const [rowId, entryId] of holders) this.book.held(this.unfounded.get(rowId) ?? '', entryId);
    await this.settleRefused(signal);
    const unheld = [...this.unfounded.keys()].filter((rowId) => !holders.has(rowId));
    return this.book.result(await findReplacedEntry(this.view.sql, unheld));
  }

  /** The alert about the entry covers its rows, unless a replay can link them to an entry that is genuine. */
  private async settleRefused(signal: AbortSignal): Promise<void> {
    const holders = await findHolders(this.view.sql, this.log, [...this.refused.keys()], { signal });
    for (const [rowId, entryId] of holders) {
      const unfounded = this.refused.get(rowId);
      if (unfounded === undefined) continue;
      await this.book.unfounded(unfounded);
      this.book.held(unfounded.row.connectionId, entryId);
    }
  }

  /** While the database looks up one window, the next one is decoded. */
  private async flush(): Promise<void> {
    await this.settling;
    const { window } = this;
    this.window = new Window();
    this.settling = this.settle(window);
    // A later await receives the error; until then it must not count as unhandled.
    this.settling.catch(() => undefined);
  }

  private async settle(window: Window): Promise<void> {
    const judged = await this.judge.judge(window);
    const contested = judged.filter(isContested);
    if (contested.length > 0 && this.settledAtOnce + contested.length <= SETTLED_AT_ONCE) {
      this.settledAtOnce += contested.length;
      await this.record(await recheckAll(this.view.sql, this.log, judged));
      return;
    }
    await this.record(judged.filter((one): one is JudgedItem => !isContested(one)));
    this.contested.push(...contested);
    await this.settleContested(SETTLED_TOGETHER);
  }

  private async record(judged: readonly JudgedItem[]): Promise<void> {
    for (const one of judged) await this.book.judged(one);
  }

  private async settleContested(from: number): Promise<void> {
    const { contested } = this;
    if (contested.length === 0 || contested.length < from) return;
    this.contested = [];
    await this.record(await recheck(this.view.sql, this.log, contested));
  }

  private async addSection(decoded: DecodedEntry, section: PreparedSection): Promise<void> {
    const { connection } = section;
    const isMine = connection === null ? !this.view.restricted : this.scope.has(connection.id);
    if (!isMine) return;
    const entry = entryRefOf(decoded.entry);
    await this.chunks.add(section, entry);
    await this.names.add(section, entry);
    for (const fact of section.section.facts) {
      const standing = standingOf(fact, section, this.ownNumbers);
      if (standing.kind !== 'judged') {
        if (subjectOf(fact) === 'message') await this.book.outside(fact, standing, connection, entry);
        continue;
      }
      this.window.add({
        fact: standing.fact,
        connection: standing.connection,
        entry,
        field: section.section.field,
      });
      if (this.window.size >= WINDOW) await this.flush();
    }
  }
}

/** Of an audit that goes on from an earlier one, the rows of new entries. */
function claimsOf(
  { sql, connections, restricted, since, touchedSince, ids }: AuditView,
  found: ClaimView['found'],
): ClaimView {
  return {
    sql,
    connectionIds: restricted ? connections.map(({ id }) => id) : null,
    ...(ids === undefined ? {} : { entryIds: ids }),
    storedSince: touchedSince === null ? null : touchedSince - DAY_MS,
    readsOthers: restricted && since === null && touchedSince === null,
    found,
  };
}

/** The entries of the raw log that a verification is about. */
export function selectionOf({
  connections,
  restricted,
  since,
  touchedSince,
  ids,
}: Pick<AuditView, 'connections' | 'restricted' | 'since' | 'touchedSince' | 'ids'>): EntrySelection {
  const [only] = connections;
  return {
    statuses: [],
    ...(ids === undefined ? {} : { ids }),
    ...(since === null ? {} : { since }),
    ...(touchedSince === null ? {} : { touchedSince }),
    ...(restricted && only !== undefined
      ? { connection: { id: only.id, phoneNumberId: only.phoneNumberId } }
      : {}),
  };
}
