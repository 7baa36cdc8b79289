import type { SourceItem } from '../../model/raw-entry.js';
import type { Sql } from '../../store/sql.js';
import { measureEntries, type EntrySelection } from '../../store/tables/stored-entries.js';
import type { StoredAs } from '../../ingest/batch/prepare-entry.js';
import { RawLog, rawEntryOf } from '../../rawlog/raw-log.js';

/** An item that also says where webhook_log has it. */
type LogItem = SourceItem & { kind: 'entry'; storedAs: StoredAs };

/** Reads stored entries back, page by page in the order in which they were stored. */
export class LogSource {
  private read = 0;

  private constructor(
    private readonly log: RawLog,
    private readonly selection: EntrySelection,
    readonly totalBytes: number,
    readonly totalEntries: number,
  ) {}

  static async open(sql: Sql, selection: EntrySelection): Promise<LogSource> {
    const { entries, bytes } = await measureEntries(sql, selection);
    return new LogSource(await RawLog.open(sql), selection, bytes, entries);
  }

  bytesRead(): number {
    return this.read;
  }

  async *items(): AsyncGenerator<LogItem> {
    for await (const stored of this.log.stored(this.selection)) {
      this.read += stored.entry.rawBody.byteLength;
      yield { kind: 'entry', entry: rawEntryOf(stored), storedAs: stored.storedAs };
    }
  }
}
