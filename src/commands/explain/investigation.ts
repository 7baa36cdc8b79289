import { namelessOf } from '../../audit/alert.js';
import { whoMayOwn } from '../../audit/unclaimed-waba.js';
import type { Nameless } from '../../model/run-result.js';
import { fileOfOrigin } from '../../model/raw-entry.js';
import { sourceRemedy, STORE_AGAIN, type LostEntry } from '../../audit/source-remedy.js';
import {
  type FoundEntry,
  findEntriesAbout,
  findEntriesNear,
  scanEntries,
} from '../../store/queries/explain.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, type ConnectionRow } from '../../store/tables/connections.js';
import type { StoredMessageRow } from '../../store/tables/messages.js';
import { readConnectionsOfUnnumbered } from '../../store/tables/webhook-log.js';
import { readLoggedEntries } from '../../store/tables/stored-entries.js';
import { readRunsById, type RunRow } from '../../store/tables/sync-runs.js';
import { findConnection } from '../connections/find.js';
import { areTooMany } from '../dedupe/dedupe.js';
import type { Context } from '../../context.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { amount } from '../../model/amount.js';
import { minuteOf, rfc3339 } from '../../model/time.js';
import { VerdictFinder, type ItemVerdict } from './item-verdicts.js';
import type { Change, ExplainedFact, ExplainOptions, Remedy, RunNote } from './result.js';
import { viewOf } from './fact-view.js';
import { readItems, type EntryItem, type EntryItems, namesIn, patternsOf } from './log-items.js';

/** Bodies are read this many bytes at a time, to keep memory flat however large the entries are. */
const PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_ENTRIES = 500;

/** Whom a fact is about, by every name that it gives; the organization of its connection, if that is known. */
export interface About {
  names: readonly string[];
  organizationId: string | null;
}

/** One run of `explain`: shared readers, and the findings so far. */
export class Investigation {
  readonly notices: string[] = [];
  readonly remedies: Remedy[] = [];
  connections: readonly ConnectionRow[];
  entries = 0;
  scanned = false;
  /** An entry that contains the id and cannot be read. */
  unread: string | null = null;
  complete = true;
  /** Entries about the subject whose bodies were removed on purpose. */
  readonly removed = { pruned: 0, erased: 0 };
  /** Whether an erasure that has not ended still has to remove a row of the subject. */
  isErasing = false;
  /** Whom the facts of the result are about. */
  readonly about = new Map<ExplainedFact, About>();
  /** Connections whose WABA other entries name alone; null until an item asks. */
  private holding: ReadonlySet<string> | null = null;
  private readonly decoded = new Set<string>();
  private readonly verdicts: VerdictFinder;

  private constructor(
    readonly ctx: Context,
    readonly options: ExplainOptions,
    private readonly all: readonly ConnectionRow[],
    /** Those of `--connection`, else all. */
    chosen: readonly ConnectionRow[],
    readonly log: RawLog,
  ) {
    this.connections = chosen;
    this.verdicts = new VerdictFinder(ctx.store.sql, log);
  }

  static async open(ctx: Context, options: ExplainOptions): Promise<Investigation> {
    const { sql } = ctx.store;
    const all = await readConnections(sql);
    const only = options.connection === undefined ? undefined : await findConnection(ctx, options.connection);
    const chosen = only === undefined ? all : all.filter((row) => row.id === only.id);
    return new Investigation(ctx, options, all, chosen, new RawLog(sql, all));
  }

  get sql(): Sql {
    return this.ctx.store.sql;
  }

  connection(id: string): ConnectionRow | null {
    return this.all.find((row) => row.id === id) ?? null;
  }

  nameOf(connectionId: string): string {
    return this.connection(connectionId)?.name ?? connectionId;
  }

  /** One phone in two organizations is two people: messages to the other organization's number are not missing here. */
  narrowTo(organizationId: string): void {
    this.connections = this.connections.filter((row) => row.organizationId === organizationId);
  }

  get connectionIds(): string[] {
    return this.connections.map((row) => row.id);
  }

  /** Whether an item belongs to a requested connection; an unknown connection may be any of them. */
  concerns(item: EntryItem): boolean {
    return item.connection === null || this.connections.some((row) => row.id === item.connection?.id);
  }

  /** A fact as the result shows it; whom it is about stays here. */
  view(verdict: ItemVerdict, changes: Change[] = []): ExplainedFact {
    const { item } = verdict;
    const fact = viewOf(verdict, { bodies: this.options.bodies, changes });
    const said = item.fact.kind === 'skipped' && item.included !== null ? item.included : item.fact;
    this.about.set(fact, {
      names: namesIn(said),
      organizationId: item.connection?.organizationId ?? null,
    });
    return fact;
  }

  notice(message: string): void {
    if (!this.notices.includes(message)) this.notices.push(message);
  }

  remedy(remedy: Remedy): void {
    const known = this.remedies.some((other) => JSON.stringify(other) === JSON.stringify(remedy));
    if (!known) this.remedies.push(remedy);
  }

  /** Duplicates that are too many for `dedupe --apply` need a second confirmation. `rows`: how many to delete, by connection. */
  async confirmMany(rows: ReadonlyMap<string, number>): Promise<void> {
    const at = this.remedies.findIndex((one) => one.do === 'dedupe');
    if (at !== -1 && (await areTooMany(this.sql, rows))) this.remedies[at] = { do: 'dedupe', many: true };
  }

  /** Advises how to restore a missing or altered entry, or an unreadable one. */
  async adviseSource(
    { id, runId, origin }: LostEntry,
    what: 'replay_file' | 'replay_export' = 'replay_file',
  ): Promise<void> {
    const why =
      what === 'replay_file' ? STORE_AGAIN : 'imports what could not be read, once the log is exported again';
    const source = await sourceRemedy(this.sql, { id, runId, origin }, why);
    const [named = 'FILE'] = source.args;
    const file = fileOfOrigin(origin) ?? (/^FILE$|^CONTACT$|^-/.test(named) ? null : named);
    this.remedy({ do: what, file, ...source });
  }

  /**
   * Decodes entries, each once, in storage order; keeps only what `pick` returns. An interruption ends it with the
   * entries decoded so far, and a notice.
   */
  async decode(
    found: readonly FoundEntry[],
    pick: (items: EntryItems) => EntryItems | null,
  ): Promise<EntryItems[]> {
    const fresh = [...new Map(found.map((entry) => [entry.id, entry])).values()]
      .filter(({ id }) => !this.decoded.has(id))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const kept: EntryItems[] = [];
    for (const page of pagesOf(fresh)) {
      if (this.ctx.signal.aborted) {
        this.cutOff('Interrupted: some entries were found but not read.');
        break;
      }
      const entries = await readLoggedEntries(
        this.sql,
        page.map(({ id }) => id),
      );
      for (const decoded of await this.log.decode(entries)) {
        this.decoded.add(decoded.entry.id);
        this.entries += 1;
        const items = readItems(decoded, this.log);
        if (items.removed !== null) this.removed[items.removed] += 1;
        const picked = pick(items);
        if (picked !== null) kept.push(picked);
      }
    }
    return kept;
  }

  /** Whether something may be said of the subject that nobody can read any more. */
  get hasRemoved(): boolean {
    return this.removed.pruned + this.removed.erased > 0;
  }

  /** Says what cannot be shown. */
  noticeRemoved(): void {
    for (const how of ['pruned', 'erased'] as const) {
      const entries = this.removed[how];
      const was = `${amount(entries, 'raw entry about it has', 'raw entries about it have')} no body any more`;
      if (entries > 0)
        this.notice(`${was} (${how}): what was in ${entries === 1 ? 'it' : 'them'} is not shown.`);
    }
    if (this.isErasing)
      this.notice(
        'An erasure that has not ended took a person out of a raw entry about it; the same erase command ends it.',
      );
  }

  cutOff(notice: string): void {
    this.complete = false;
    this.notice(notice);
  }

  /** The verdict on every item, in order. `first`: rows to compare first if an id has several. */
  async verdictsOn(
    items: readonly EntryItem[],
    first: readonly StoredMessageRow[] = [],
  ): Promise<ItemVerdict[]> {
    const isClaiming = items.some(({ claim, pending }) => claim !== null && pending === 'unknown_connection');
    if (isClaiming) this.holding ??= await readConnectionsOfUnnumbered(this.sql);
    return this.verdicts.verdictsOn(items, first);
  }

  /** Whose an item may be that names no number. */
  ownersOf({ claim, entry }: EntryItem): Nameless {
    const found = claim === null ? null : whoMayOwn(claim, this.connections, this.holding ?? new Set());
    return namelessOf(this.connections, new Set([entry.provider]), found);
  }

  /** Oldest first. */
  async runs(ids: readonly (string | null)[]): Promise<RunNote[]> {
    const wanted = [...new Set(ids.filter((id): id is string => id !== null))];
    return (await readRunsById(this.sql, wanted)).reverse().map(runNote);
  }
}

export function runNote(run: RunRow): RunNote {
  return {
    id: run.id,
    command: run.command,
    status: run.status,
    startedAt: rfc3339(run.startedAt),
    completedAt: rfc3339(run.completedAt),
    host: run.host,
    verdict: run.verdict,
  };
}

function pagesOf(entries: readonly FoundEntry[]): FoundEntry[][] {
  const pages: FoundEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const page = pages.at(-1);
    if (page === undefined || page.length >= PAGE_ENTRIES || bytes + entry.bytes > PAGE_BYTES) {
      pages.push([entry]);
      bytes = entry.bytes;
    } else {
      page.push(entry);
      bytes += entry.bytes;
    }
  }
  return pages;
}

/** How far around a message's entry to search for its statuses; they follow within a day, and name no contact. */
const AFTER = { entries: 3000, maxBytes: 32 * 1024 * 1024 };
const BEFORE = { entries: 500, maxBytes: 8 * 1024 * 1024 };
/** A message arrives a few times: live, in the history, by WhatsApp Web, redelivered. */
const MOST_ANCHORS = 4;
const MOST_ENTRIES = 500;
const SCAN_PAGE = { entries: 5000, maxBytes: 16 * 1024 * 1024 };
const SHORTEST_WORD = 5;
/** A search stops at this many entries. */
const MOST_SCANNED = 1000;

/** Entries that contain one of these ids and name one of these people: by the name index, then by bytes. */
export async function findNamedEntries(
  inv: Investigation,
  ids: readonly string[],
  names: readonly string[],
): Promise<FoundEntry[]> {
  const found = await findEntriesAbout(inv.sql, names, { limit: MOST_ENTRIES, patterns: patternsOf(ids) });
  if (found.length === MOST_ENTRIES) {
    inv.cutOff(`Only the newest ${MOST_ENTRIES} entries that name the message were read.`);
  }
  return found;
}

/** Entries that contain one of these ids, stored shortly before or after one of the anchors. */
export async function findNeighbors(
  inv: Investigation,
  ids: readonly string[],
  anchors: readonly string[],
): Promise<FoundEntry[]> {
  const patterns = patternsOf(ids);
  const found: FoundEntry[] = [];
  for (const anchor of anchors.slice(0, MOST_ANCHORS)) {
    found.push(...(await findEntriesNear(inv.sql, anchor, 'after', { ...AFTER, patterns })));
    found.push(...(await findEntriesNear(inv.sql, anchor, 'before', { ...BEFORE, patterns })));
  }
  return found;
}

/** Searches the bytes of the whole log for these words, newest first, with a notice, as that takes time. */
export async function scanLog(inv: Investigation, words: readonly string[]): Promise<FoundEntry[]> {
  // A two-digit word occurs in every body.
  const patterns = patternsOf(words.filter((word) => word.length >= SHORTEST_WORD));
  if (patterns.length === 0) {
    inv.cutOff('The raw log was not searched byte by byte: the subject is too short.');
    return [];
  }
  const { since, until } = inv.options;
  const found: FoundEntry[] = [];
  let looked = 0;
  let before: string | null = null;
  for (;;) {
    const page = await scanEntries(inv.sql, before, {
      ...SCAN_PAGE,
      patterns,
      since,
      until,
    });
    if (page.last === null) break;
    if (looked === 0 && page.looked === SCAN_PAGE.entries) {
      inv.ctx.emit({ event: 'notice', message: 'Searching the whole raw log byte by byte …' });
    }
    looked += page.looked;
    before = page.last;
    found.push(...page.found);
    if (found.length >= MOST_SCANNED) {
      inv.cutOff(
        `The search stopped after ${found.length} matches in the newest ${looked} entries of the raw log.`,
      );
      return found;
    }
    if (inv.ctx.signal.aborted) {
      inv.cutOff(`Interrupted: only the newest ${looked} entries of the raw log were searched.`);
      return found;
    }
  }
  inv.scanned = since === undefined && until === undefined;
  if (!inv.scanned) {
    const from = since === undefined ? '' : ` from ${minuteOf(since)}`;
    const to = until === undefined ? '' : ` before ${minuteOf(until)}`;
    inv.cutOff(`Only entries received${from}${to} were searched.`);
  }
  return found;
}
