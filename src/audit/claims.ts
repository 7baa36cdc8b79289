import { isUndecided, verdictOnClaim, verdictsOf, type ClaimVerdict } from '../rawlog/claim-verdict.js';
import { RawLog, type Decodable, type DecodedEntry } from '../rawlog/raw-log.js';
import { TWIN_TOLERANCE_MS } from '../rules/message-state.js';
import { findCopies, streamClaims, type Claim, type ClaimScope } from '../store/checks/messages.js';
import type { Scope } from '../store/checks/scope.js';
import type { Sql } from '../store/sql.js';
import type { StoredEntry } from '../store/tables/stored-entries.js';
import { entryRefOf, type EntryRef } from './outcome.js';

/** Rows that are looked at together. */
const TOGETHER = 500;

/** A row that names a raw entry that does not hold it. */
export interface Unfounded {
  row: Claim;
  entry: EntryRef;
  why: (ClaimVerdict & { holds: false })['why'];
  /** The same message is stored under its own id, in the same conversation: `dedupe` merges the two. */
  isCopy: boolean;
}

/** An audit's verdict on one row; null for a row held by its entry, or if that is still to be decided. */
export async function unfoundedOf<E extends Decodable & Pick<StoredEntry, 'status' | 'isErasing' | 'origin'>>(
  sql: Sql,
  decoded: DecodedEntry<E>,
  row: Omit<Claim, 'batchId'>,
  log: RawLog,
): Promise<Pick<Unfounded, 'why' | 'isCopy'> | null> {
  if (isUndecided(decoded)) return null;
  const verdict = verdictOnClaim(decoded, row, log);
  if (verdict.holds) return null;
  const { why, said } = verdict;
  const pairs = said === null ? [] : [{ rowId: row.id, externalId: said.externalId }];
  return { why, isCopy: (await findCopies(sql, pairs, TWIN_TOLERANCE_MS)).has(row.id) };
}

/** What the claims of an audit are held against. */
export interface ClaimView extends ClaimScope {
  sql: Sql;
  /** Whether rows may name entries that the audit does not read: they are read for them then. */
  readsOthers: boolean;
  found: (unfounded: Unfounded) => Promise<void>;
}

/**
 * Holds the rows that name a raw entry against it, while an audit decodes the log anyway: both come in the order of the
 * entries, so one pass over the rows is enough, and memory stays flat.
 */
export class ClaimAudit {
  private readonly pages: AsyncGenerator<Claim[], void, undefined>;
  private page: readonly Claim[] = [];
  private at = 0;
  private isAtEnd = false;
  private elsewhere: Claim[] = [];
  private suspects: { row: Claim; entry: EntryRef; verdict: ClaimVerdict & { holds: false } }[] = [];

  constructor(
    private readonly view: ClaimView,
    private readonly log: RawLog,
  ) {
    this.pages = streamClaims(view.sql, view);
  }

  /** Entries come in the order of their ids. */
  async entry(decoded: DecodedEntry): Promise<void> {
    const { id } = decoded.entry;
    const verdictOn = this.verdictsOf(decoded);
    for (let row = await this.peek(); row !== null && row.batchId <= id; row = await this.peek()) {
      this.at += 1;
      if (row.batchId === id) await this.judge(decoded, row, verdictOn);
      else await this.leave(row);
    }
  }

  async end(): Promise<void> {
    for (let row = await this.peek(); row !== null; row = await this.peek()) {
      this.at += 1;
      await this.leave(row);
    }
    await this.readElsewhere();
    await this.tellSuspects();
  }

  private async peek(): Promise<Claim | null> {
    while (this.at >= this.page.length && !this.isAtEnd) {
      const next = await this.pages.next();
      this.isAtEnd = next.done === true;
      this.page = next.value ?? [];
      this.at = 0;
    }
    return this.page[this.at] ?? null;
  }

  /** Its entry is not among those that the audit reads, or is gone. */
  private async leave(row: Claim): Promise<void> {
    if (!this.view.readsOthers) return;
    this.elsewhere.push(row);
    if (this.elsewhere.length >= TOGETHER) await this.readElsewhere();
  }

  private async readElsewhere(): Promise<void> {
    const rows = this.elsewhere;
    this.elsewhere = [];
    if (rows.length === 0) return;
    const ids = [...new Set(rows.map(({ batchId }) => batchId))];
    for await (const decoded of this.log.entries({ statuses: [], ids })) {
      const verdictOn = this.verdictsOf(decoded);
      for (const row of rows) if (row.batchId === decoded.entry.id) await this.judge(decoded, row, verdictOn);
    }
  }

  /** Null where something to come decides. */
  private verdictsOf(decoded: DecodedEntry): ReturnType<typeof verdictsOf> | null {
    return isUndecided(decoded) ? null : verdictsOf(decoded, this.log);
  }

  private async judge(
    decoded: DecodedEntry,
    row: Claim,
    verdictOn: ReturnType<typeof verdictsOf> | null,
  ): Promise<void> {
    const verdict = verdictOn?.(row);
    if (verdict === undefined || verdict.holds) return;
    this.suspects.push({ row, entry: entryRefOf(decoded.entry), verdict });
    if (this.suspects.length >= TOGETHER) await this.tellSuspects();
  }

  private async tellSuspects(): Promise<void> {
    const { suspects, view } = this;
    this.suspects = [];
    const pairs = suspects.flatMap(({ row, verdict: { said } }) =>
      said === null ? [] : [{ rowId: row.id, externalId: said.externalId }],
    );
    const copies = await findCopies(view.sql, pairs, TWIN_TOLERANCE_MS);
    for (const { row, entry, verdict } of suspects)
      await view.found({ row, entry, why: verdict.why, isCopy: copies.has(row.id) });
  }
}

/**
 * Every row of a scope that its entry does not hold, without auditing the entries. Ends when `found` asks to stop, or
 * when the signal aborts. Runs inside a snapshot transaction.
 */
export async function findUnfounded(
  sql: Sql,
  { connectionIds, since }: Scope,
  signal: AbortSignal,
  found: (unfounded: Unfounded) => boolean,
): Promise<void> {
  const log = await RawLog.open(sql);
  const wanted = { more: true };
  const claims = new ClaimAudit(
    {
      sql,
      connectionIds,
      storedSince: null,
      readsOthers: false,
      found: (unfounded) => {
        wanted.more = wanted.more && found(unfounded);
        return Promise.resolve();
      },
    },
    log,
  );
  for await (const decoded of log.entries(
    { statuses: [], ...(since === null ? {} : { since }) },
    { signal },
  )) {
    if (!wanted.more) return;
    await claims.entry(decoded);
  }
  if (!signal.aborted) await claims.end();
}

/** What `verify --enforce` does with such rows, and of which ones it is the way out. */
export const UNLINK_WHY =
  'takes the raw entry from messages that it never held and that no file can bring back: another program vouches for them then';

/** What is wrong with such a row, as the end of a sentence that begins with it. */
export function unfoundedWords(why: Unfounded['why']): string {
  switch (why) {
    case 'not_held':
      return 'names a raw entry that does not hold it';
    case 'other_connection':
      return 'names a raw entry of another connection';
    case 'refused':
      return 'was applied before the signature of its raw entry was found to be bad';
  }
}
