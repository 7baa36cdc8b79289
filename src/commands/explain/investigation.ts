import type { FoundEntry } from '../../store/queries/explain.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, type ConnectionRow } from '../../store/tables/connections.js';
import type { StoredMessageRow } from '../../store/tables/messages.js';
import { readLoggedEntries } from '../../store/tables/stored-entries.js';
import { readRunsById, type RunRow } from '../../store/tables/sync-runs.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { iso } from './fact-view.js';
import { FateFinder, type Fate } from './fates.js';
import type { ExplainOptions } from './options.js';
import { readItems, type LoggedItem, type LoggedItems } from './read-items.js';
import type { Remedy, RunNote } from './result.js';

/** Bodies are read so many bytes at a time: memory stays flat however large the entries are. */
const PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_ENTRIES = 500;

/** One question, with all that every part of its answer needs. */
export class Investigation {
  readonly notices: string[] = [];
  readonly remedies: Remedy[] = [];
  connections: readonly ConnectionRow[];
  entries = 0;
  scanned = false;
  complete = true;
  private readonly decoded = new Set<string>();
  private readonly fates: FateFinder;

  private constructor(
    readonly ctx: Context,
    readonly options: ExplainOptions,
    private readonly all: readonly ConnectionRow[],
    /** Those of `--connection`, else all. */
    chosen: readonly ConnectionRow[],
    readonly log: RawLog,
  ) {
    this.connections = chosen;
    this.fates = new FateFinder(ctx.store.sql, log);
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

  /** A phone that two organizations know is two people: what one wrote to the other's number is nothing that this one lacks. */
  narrowTo(organizationId: string): void {
    this.connections = this.connections.filter((row) => row.organizationId === organizationId);
  }

  get connectionIds(): string[] {
    return this.connections.map((row) => row.id);
  }

  /** Whether an item is of a connection that was asked for; what waits for its connection may be of any. */
  concerns(item: LoggedItem): boolean {
    return item.connection === null || this.connections.some((row) => row.id === item.connection?.id);
  }

  notice(message: string): void {
    if (!this.notices.includes(message)) this.notices.push(message);
  }

  remedy(remedy: Remedy): void {
    const known = this.remedies.some((other) => JSON.stringify(other) === JSON.stringify(remedy));
    if (!known) this.remedies.push(remedy);
  }

  /**
   * Decodes entries, each once, in the order in which they were stored; what `pick` does not want is forgotten at once.
   * An interruption ends it with what there is, and says so.
   */
  async decode(
    found: readonly FoundEntry[],
    pick: (items: LoggedItems) => LoggedItems | null,
  ): Promise<LoggedItems[]> {
    const fresh = [...new Map(found.map((entry) => [entry.id, entry])).values()]
      .filter(({ id }) => !this.decoded.has(id))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const kept: LoggedItems[] = [];
    for (const page of pagesOf(fresh)) {
      if (this.ctx.signal.aborted) {
        this.cutOff('Interrupted: not everything that was found has been read.');
        break;
      }
      const entries = await readLoggedEntries(
        this.sql,
        page.map(({ id }) => id),
      );
      for (const decoded of await this.log.decode(entries)) {
        this.decoded.add(decoded.entry.id);
        this.entries += 1;
        const picked = pick(readItems(decoded, this.log));
        if (picked !== null) kept.push(picked);
      }
    }
    return kept;
  }

  cutOff(notice: string): void {
    this.complete = false;
    this.notice(notice);
  }

  /** What became of these items, by the judge that `verify` asks. `first`: rows to hold them against before others. */
  fatesOf(
    items: readonly LoggedItem[],
    first: readonly StoredMessageRow[] = [],
  ): Promise<Map<LoggedItem, Fate>> {
    return this.fates.fatesOf(items, first);
  }

  /** The oldest first. */
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
    startedAt: iso(run.startedAt),
    completedAt: iso(run.completedAt),
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
