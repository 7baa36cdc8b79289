import type { SourceItem } from '../../model/raw-entry.js';
import {
  measureEntries,
  readEntries,
  type EntrySelection,
  type StoredEntry,
} from '../../store/stored-entries.js';
import type { Sql } from '../../store/sql.js';
import type { StoredAs } from '../batch/prepare-entry.js';

/** Entries per page: most are live webhooks of 1 KB, but one may hold 50 MB, so a page is bounded by both. */
const PAGE = { limit: 500, maxBytes: 4 * 1024 * 1024 };

/** An item that also says where webhook_log has it. */
export type LogItem = SourceItem & { kind: 'entry'; storedAs: StoredAs };

/** Reads stored entries back, page by page in the order in which they were stored. */
export class LogSource {
  private read = 0;

  private constructor(
    private readonly sql: Sql,
    private readonly selection: EntrySelection,
    readonly totalBytes: number,
    readonly totalEntries: number,
  ) {}

  static async open(sql: Sql, selection: EntrySelection): Promise<LogSource> {
    const { entries, bytes } = await measureEntries(sql, selection);
    return new LogSource(sql, selection, bytes, entries);
  }

  bytesRead(): number {
    return this.read;
  }

  async *items(): AsyncGenerator<LogItem> {
    let last: string | null = null;
    for (;;) {
      const page: StoredEntry[] = await readEntries(this.sql, this.selection, last, PAGE);
      for (const row of page) {
        this.read += row.rawBody.byteLength;
        yield {
          kind: 'entry',
          entry: {
            bytes: row.rawBody,
            origin: { kind: 'log', id: row.id },
            ...(row.receivedAt === null ? {} : { receivedAt: row.receivedAt }),
          },
          storedAs: { id: row.id, connectionScope: row.connectionScope },
        };
        last = row.id;
      }
      if (page.length === 0) return;
    }
  }
}
