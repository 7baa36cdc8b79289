import { totalLosses, type LogAudit } from '../../audit/losses.js';
import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import type { CreatedByRun, RunRows } from '../../store/queries/report.js';
import type { RejectGroup } from '../../store/tables/rejects.js';
import { increase, reasonsOf, type Ledger } from './ledger.js';
import type { Accounts, AuditFigures } from './types.js';

/** The inputs to one connection's accounts. */
export interface AccountFacts {
  ledger: Ledger | undefined;
  /** Rows from the raw log. */
  saved: number;
  /** Those of them whose entry is still pending. */
  savedFromPending: number;
  rejects: readonly RejectGroup[];
  /** Rows that runs created and that are gone. */
  gone: number;
  /** Removals recorded in the journal. */
  journaled: number;
  /** Items that an audit did not find in the database; null if the raw log was not compared. */
  missing: number | null;
}

/**
 * Accounts for every message of the raw log against rows of the database.
 *
 * Skipped items are in the entries' counters, rejected ones on record, waiting ones in the entries' status. An audit
 * knows what is missing, item by item; without one, the runs' own counters show rows that a run created and that are
 * gone, and rows of another program can hide them. The remainder was repeated: every committed run has proved that each
 * of its items ended as created, updated, unchanged, skipped or rejected, so any other item has met a message that was
 * already there.
 */
export function accountsOf(facts: AccountFacts): Accounts {
  const items = facts.ledger?.items ?? 0;
  const explained = new Map<string, number>();
  for (const [reason, count] of facts.ledger?.skipped ?? []) increase(explained, `skipped.${reason}`, count);
  for (const { subject, reason, count } of facts.rejects) {
    if (subject === 'message') increase(explained, `rejected.${reason}`, count);
  }
  let inAlready = facts.savedFromPending;
  for (const [reason, count] of facts.ledger?.pending ?? []) {
    const waiting = Math.max(0, count - inAlready);
    inAlready -= count - waiting;
    increase(explained, `pending.${reason}`, waiting);
  }
  let rest = items - facts.saved - sum(explained);
  rest = takeBack(explained, rest);
  if (facts.missing !== null) return audited(facts, explained, rest, facts.missing);
  const gone = Math.min(facts.gone, Math.max(0, rest));
  const merged = Math.min(gone, facts.journaled);
  increase(explained, 'merged', merged);
  // A negative remainder: rows unknown to their entries. Reported, never hidden.
  const unexplained = rest < 0 ? rest : gone - merged;
  increase(explained, 'repeated', Math.max(0, rest - gone));
  return { items, saved: facts.saved, explained: reasonsOf(explained), unexplained };
}

/** Rows that claim to be from the log without an item there do not count as saved. */
function audited(
  { ledger, saved, gone, journaled }: AccountFacts,
  explained: Map<string, number>,
  rest: number,
  missing: number,
): Accounts {
  const merged = Math.min(gone, journaled, Math.max(0, rest - missing));
  const repeated = rest - missing - merged;
  increase(explained, 'merged', merged);
  increase(explained, 'repeated', Math.max(0, repeated));
  return {
    items: ledger?.items ?? 0,
    saved: saved + Math.min(0, repeated),
    explained: reasonsOf(explained),
    unexplained: missing,
  };
}

/**
 * More rows and reasons than items: something was counted under an outdated reason. A waiting entry that is to be
 * redone has its rows and rejects already; `--include` may since have imported a skipped group.
 */
function takeBack(explained: Map<string, number>, rest: number): number {
  let missing = rest;
  for (const [reason, count] of explained) {
    const outgrown =
      reason.startsWith('pending.') || INCLUDABLE_CHATS.some((kind) => reason === `skipped.${kind}`);
    if (missing >= 0 || !outgrown) continue;
    const taken = Math.min(count, -missing);
    missing += taken;
    if (taken === count) explained.delete(reason);
    else explained.set(reason, count - taken);
  }
  return missing;
}

/** Rows that runs created and that are gone: per connection, and (`''`) for killed runs that worked on several. */
export function goneRows(created: readonly CreatedByRun[], runRows: readonly RunRows[]): Map<string, number> {
  const rows = new Map(runRows.map((row) => [`${row.runId} ${row.connectionId}`, row.rows]));
  const byRun = new Map<string, RunRows[]>();
  for (const row of runRows) byRun.set(row.runId, [...(byRun.get(row.runId) ?? []), row]);
  const gone = new Map<string, number>();
  for (const run of created) {
    if (run.connectionId !== null) {
      const there = rows.get(`${run.runId} ${run.connectionId}`) ?? 0;
      increase(gone, run.connectionId, Math.max(0, run.created - there));
      continue;
    }
    const parts = byRun.get(run.runId) ?? [];
    const there = parts.reduce((total, part) => total + part.rows, 0);
    const [only, second] = parts;
    const whose = only !== undefined && second === undefined ? only.connectionId : '';
    increase(gone, whose, Math.max(0, run.created - there));
  }
  return gone;
}

/** The whole raw log: all connections, entries without a connection, and losses whose connection is unknown. */
export function totalAccounts(
  parts: readonly Accounts[],
  unowned: Ledger | undefined,
  goneElsewhere: number,
): Accounts {
  const explained = new Map<string, number>();
  for (const part of parts) {
    for (const [reason, count] of Object.entries(part.explained)) increase(explained, reason, count);
  }
  let nobodys = unowned?.items ?? 0;
  for (const [reason, count] of unowned?.pending ?? []) {
    increase(explained, `pending.${reason}`, count);
    nobodys -= count;
  }
  for (const [reason, count] of unowned?.skipped ?? []) {
    increase(explained, `skipped.${reason}`, count);
    nobodys -= count;
  }
  increase(explained, 'no_connection', nobodys);
  const elsewhere = Math.min(goneElsewhere, explained.get('repeated') ?? 0);
  increase(explained, 'repeated', -elsewhere);
  return {
    items: parts.reduce((total, part) => total + part.items, unowned?.items ?? 0),
    saved: parts.reduce((total, part) => total + part.saved, 0),
    explained: reasonsOf(new Map([...explained].filter(([, count]) => count !== 0))),
    unexplained: parts.reduce((total, part) => total + part.unexplained, elsewhere),
  };
}

/** The figures of an audit. */
export function auditFigures({ result, losses }: LogAudit, unchanged: number): AuditFigures {
  const { missing, different, unapplied, doubled, unfounded, damaged } = totalLosses(losses);
  return {
    entries: result.entries,
    items: result.total.items,
    missing: missing.count,
    different: different.count,
    unapplied: unapplied.count,
    doubled: doubled.count,
    unfounded: unfounded.count,
    damaged: damaged.count,
    unchanged,
  };
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
