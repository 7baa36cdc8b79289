import { createHash } from 'node:crypto';
import type { LogAudit } from '../../audit/losses.js';
import { UNLINK_WHY } from '../../audit/claims.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Severity } from '../../model/enumerations.js';
import type { Scope } from '../../store/checks/scope.js';
import { readEntryCopies } from '../../store/journal/discards.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { CheckName, CheckResult, Finding, ItemSign, VerifiedItem } from './types.js';

/** One property that `verify` proves. */
export interface Check {
  /** Severity of a finding. What the check only notes is a note. */
  severity: Severity;
  /**
   * Reads, changes nothing, and streams: pages or a cursor, never a whole table. Ends soon after `view.signal` aborts;
   * its conclusion is then discarded. May throw on a database whose tables or columns differ from the migrations.
   */
  run(view: VerifyView, recorder: Recorder): Promise<Conclusion>;
}

/** A check's conclusion about everything that it recorded. */
export interface Conclusion extends Pick<
  CheckResult,
  'summary' | 'lost' | 'missing' | 'unaccounted' | 'restorable' | 'copies' | 'acknowledged'
> {
  remedy?: Remedy | null;
  /** If the findings are less severe than the check's maximum. */
  severity?: Severity;
  /**
   * How many alerts about its notes are open. Without it a check counts as one note if it found nothing worse; `report` raises
   * no alert for the notes of such a check beside its findings.
   */
  notes?: number;
}

/** What a check sees: one snapshot of the database, and the scope. */
export interface VerifyView {
  /** Inside the read-only, repeatable-read transaction that all checks share. */
  sql: Sql;
  /** The connections to check: all, or the one of `--connection`. */
  connections: readonly ConnectionRow[];
  /** True with `--connection`: rows without a connection are not checked. */
  restricted: boolean;
  /** Only what was sent or received since, ms since 1970; null for everything. */
  since: number | null;
  /** Of the raw log, only entries stored or processed since, ms since 1970; null for all. */
  touchedSince: number | null;
  /** Receives the whole raw-log audit, for callers that need more than the check's result. */
  audited?: (audit: LogAudit) => void;
  /** Receives how many rows per connection `dedupe` would delete, from each check's findings. */
  doubled?: (connectionId: string, rows: number) => void;
  /** Receives the id of each entry with a bad signature that is not on record. */
  forged?: (entryId: string) => void;
  /** The checks that run. */
  checks: ReadonlySet<CheckName>;
  /** Secrets of the Meta apps; without one, signatures are not checked. */
  appSecrets: readonly string[];
  /** The snapshot's time by the tool's clock, ms since 1970. */
  now: number;
  /** How long the answer to a request of history may take. */
  historyMinutes: number;
  signal: AbortSignal;
  /** Whether the caller needs the items: otherwise, correct ones are not reported. */
  wantsItems: boolean;
  item: (item: VerifiedItem) => Promise<void> | void;
}

/** The row scope of a check's queries. */
export function scopeOf(view: VerifyView): Scope {
  return {
    connectionIds: view.restricted ? view.connections.map(({ id }) => id) : null,
    since: view.since,
  };
}

/** The subject of an item: `connectionId` is null if it belongs to none. */
export interface Subject {
  connectionId: string | null;
  subject: string;
  detail: string;
}

/** How many samples of a check to show. */
const SAMPLES = 5;

/** Counts a check's items, keeps the first few samples, and reports every item for `--items`. */
export class Recorder {
  /** Number of checked items; the check counts them itself. */
  checked = 0;
  found = 0;
  noted = 0;
  /** Represent everything found and noted, in any order. */
  private readonly digests = { findings: 0, notes: 0 };
  private readonly findings: Finding[] = [];
  private readonly notes: Finding[] = [];
  private readonly names: ReadonlyMap<string, string>;

  constructor(
    private readonly view: VerifyView,
    private readonly check: CheckName,
  ) {
    this.names = new Map(view.connections.map(({ id, name }) => [id, name]));
  }

  /** A correct item: reported only to `--items`. */
  async good(item: Subject): Promise<void> {
    if (this.view.wantsItems) await this.report('=', item);
  }

  /** Something to fix; `weight` if one item stands for several findings. */
  async finding(sign: Exclude<ItemSign, '='>, item: Subject, weight = 1): Promise<void> {
    this.found += weight;
    this.digest('findings', sign, item);
    await this.add(this.findings, sign, item);
  }

  /** Worth knowing, nothing to fix. */
  async note(sign: Exclude<ItemSign, '='>, item: Subject): Promise<void> {
    this.noted += 1;
    this.digest('notes', sign, item);
    await this.add(this.notes, sign, item);
  }

  /** The result of a check, with its `conclusion`. */
  result(check: Check, { severity, remedy: advice = null, notes, ...conclusion }: Conclusion): CheckResult {
    const { found, noted } = this;
    const shared = { check: this.check, checked: this.checked, ...conclusion, remedy: advice };
    if (found > 0) {
      const worst = severity ?? check.severity;
      const state = this.digests.findings.toString(16);
      const result = { ...shared, severity: worst, found, samples: this.findings, state };
      return { ...result, status: 'findings', ...(notes === undefined || notes === 0 ? {} : { notes }) };
    }
    return noted > 0
      ? {
          ...shared,
          status: 'note',
          severity: notes === 0 ? null : 'note',
          notes: notes ?? 1,
          found: noted,
          samples: this.notes,
          state: this.digests.notes.toString(16),
        }
      : { ...shared, status: 'ok', severity: null, found: 0, samples: [] };
  }

  private digest(of: 'findings' | 'notes', sign: ItemSign, { connectionId, subject }: Subject): void {
    const key = JSON.stringify([sign, connectionId, subject]);
    const number = createHash('sha1').update(key).digest().readUInt32BE(0);
    this.digests[of] = (this.digests[of] + number) % 2 ** 32;
  }

  private async add(samples: Finding[], sign: ItemSign, item: Subject): Promise<void> {
    if (samples.length < SAMPLES) samples.push(this.named(item));
    await this.report(sign, item);
  }

  private async report(sign: ItemSign, item: Subject): Promise<void> {
    await this.view.item({ sign, check: this.check, ...this.named(item) });
  }

  /** A deleted connection (no foreign key, a restored dump) is named by its id. */
  private named({ connectionId, subject, detail }: Subject): Finding {
    const connection = connectionId === null ? null : (this.names.get(connectionId) ?? connectionId);
    return { connection, subject, detail };
  }
}

/** A check's verdict on one row: `note` if nothing needs fixing, `good` if it is not even worth a note. */
type RowItem =
  (Subject & { sign: Exclude<ItemSign, '='>; as?: 'finding' | 'note' }) | (Subject & { as: 'good' });

/** A query check: it reports every row that the query returns. */
export interface RowCheck<Row> {
  severity: Severity;
  /** How many rows are checked. */
  count: (sql: Sql, scope: Scope) => Promise<number>;
  /** The rows that break the rule, page by page. */
  stream: (sql: Sql, scope: Scope, view: VerifyView) => AsyncIterable<readonly Row[]>;
  /** Starts one run of the check; it holds summary counts besides the rows. */
  begin: (view: VerifyView) => {
    item: (row: Row) => RowItem;
    conclude: (recorder: Recorder) => Conclusion | Promise<Conclusion>;
  };
}

/** Makes a check from a query for rows that break a rule. */
export function rowCheck<Row>({ severity, count, stream, begin }: RowCheck<Row>): Check {
  return {
    severity,
    async run(view, recorder) {
      const scope = scopeOf(view);
      recorder.checked = await count(view.sql, scope);
      const { item, conclude } = begin(view);
      await forEachRow(view, stream(view.sql, scope, view), async (row) => {
        const judged = item(row);
        if (judged.as === 'good') await recorder.good(judged);
        else await recorder[judged.as ?? 'finding'](judged.sign, judged);
      });
      return conclude(recorder);
    },
  };
}

/** Calls `use` for each row until the verification is interrupted. */
export async function forEachRow<Row>(
  { signal }: VerifyView,
  pages: AsyncIterable<readonly Row[]>,
  use: (row: Row) => Promise<void>,
): Promise<void> {
  for await (const page of pages) {
    if (signal.aborted) return;
    for (const row of page) await use(row);
  }
}

/** Joins the parts that are not 0: `3 duplicates; 1 message without an id`. */
export function joined(
  parts: readonly (readonly [count: number, words: string])[],
  separator = '; ',
): string {
  return parts
    .filter(([count]) => count > 0)
    .map(([, words]) => words)
    .join(separator);
}

export const FETCH_MEDIA_REMEDY = remedy('media fetch', [], 'fetches what Meta still has');
export const FETCH_MEDIA_AGAIN_REMEDY = remedy('media fetch', ['--again'], 'asks for them once more');
export const DEDUPE_REMEDY = remedy('dedupe', ['--apply'], 'merges the duplicates');
/** For more rows than `dedupe` deletes without a second confirmation. */
export const DEDUPE_MANY_REMEDY = remedy(
  'dedupe',
  ['--apply', '--force'],
  'merges the duplicates; there are many, so look at the plan first (dedupe without --apply)',
);
/** For copies of one message with different contents: `dedupe` merges them only once the raw log has decided about them. */
export const RESTORE_COPIES_REMEDY = remedy(
  'replay',
  ['--all'],
  'gives the copies of one message the content of the raw log; then dedupe --apply merges them',
);
/** For messages without an id: the raw log restores them under it, which makes the row without one a copy. */
export const RESTORE_IDS_REMEDY = remedy(
  'reconcile',
  ['--apply'],
  'restores these messages under their ids from the raw log, and merges the copies',
);
/** Raw entries named in one command. */
const MOST_COPIES = 20;

/** Takes out copies of raw entries, which block their unique index; null without any that could go. */
export async function copiesRemedy(sql: Sql): Promise<Remedy | null> {
  const copies = await readEntryCopies(sql, MOST_COPIES);
  if (copies.length === 0) return null;
  const args = [...copies.map((id) => `log:${id}`), '--apply'];
  return remedy(
    'raw discard',
    args,
    'takes out the second copies of raw entries, which block the unique index',
  );
}

export const ENFORCE_INDEX_REMEDY = remedy('verify', ['--enforce'], 'creates the unique indexes');
/** For rows whose raw entry does not hold them, and never did. */
export const UNLINK_REMEDY = remedy('verify', ['--enforce'], UNLINK_WHY);
/** For rows whose raw entry does not hold them, while another one does. */
export const RELINK_REMEDY = remedy(
  'verify',
  ['--enforce'],
  'links messages to the raw entries that hold them; then replay --all restores the rest',
);
export const REPLAY_ALL_REMEDY = remedy('replay', ['--all'], 'restores everything that is in the raw log');

/** Shows where one message came from: the basis for a person's decision. */
export function explainRemedy(subject: string | null): Remedy | null {
  return subject === null ? null : remedy('explain', [subject], 'shows what is known about it');
}

/** The first few row ids: a group can have thousands. */
export function listRows(ids: readonly string[]): string {
  const shown = ids.slice(0, 3);
  return `rows ${shown.join(', ')}${ids.length > shown.length ? ', …' : ''}`;
}
