import { decodeEntry } from '../../../decode/decode-entry.js';
import type { IncludableChat } from '../../../model/enumerations.js';
import { readRunChoices, type RunChoice } from '../../../store/checks/accounts.js';
import { readConnections, readDefaultOrganization } from '../../../store/connections.js';
import { readEntries, type EntrySelection, type StoredEntry } from '../../../store/stored-entries.js';
import type { PreparedSection } from '../../batch/batch.js';
import { ConnectionDirectory } from '../../batch/connection-directory.js';
import { resolveSections } from '../../batch/prepare-entry.js';
import type { VerifyView } from '../check.js';

/** As a replay reads them: most entries are webhooks of 1 KB, but one may hold 50 MB. */
const PAGE = { limit: 500, maxBytes: 4 * 1024 * 1024 };

const NOTHING_INCLUDED: ReadonlySet<IncludableChat> = new Set();

/** A stored entry, decoded again. */
export interface ReadAgain {
  entry: StoredEntry;
  /** Why its bytes say nothing; null when they were read. */
  unreadable: string | null;
  /** What no decoder knows in it. */
  unrecognized: readonly { path: string; reason: string }[];
  sections: readonly PreparedSection[];
}

/**
 * Reads the raw log back, page by page, and decodes every entry as the run did that stored it: with the kinds of chats that
 * it was to bring in, and its `--connection` where an entry names none.
 */
export class StoredLog {
  private constructor(
    private readonly view: VerifyView,
    private readonly directory: ConnectionDirectory,
    private readonly choices: ReadonlyMap<string, RunChoice>,
    private readonly fixedDirectories: ReadonlyMap<string, ConnectionDirectory>,
  ) {}

  static async open(view: VerifyView): Promise<StoredLog> {
    const { sql } = view;
    const choices = await readRunChoices(sql);
    const rows = await readConnections(sql);
    const options = {
      register: false,
      defaultOrganizationId: await readDefaultOrganization(sql),
      newId: (): string => {
        throw new Error('verify registers nothing');
      },
    };
    const fixed = new Map<string, ConnectionDirectory>();
    for (const { connection } of choices.values()) {
      const row = rows.find(({ id, name }) => name === connection || id === connection);
      if (connection !== null && row !== undefined)
        fixed.set(connection, new ConnectionDirectory(rows, { ...options, fixed: row }));
    }
    return new StoredLog(view, new ConnectionDirectory(rows, { ...options, fixed: null }), choices, fixed);
  }

  /** The entries that the view is about. Ends early when its signal is aborted. */
  entries(): AsyncGenerator<ReadAgain> {
    return this.read(selectionOf(this.view));
  }

  /** Every entry that names one of these. */
  entriesAbout(chatIds: readonly string[]): AsyncGenerator<ReadAgain> {
    return this.read({ statuses: [], chatIds });
  }

  private async *read(selection: EntrySelection): AsyncGenerator<ReadAgain> {
    const { sql, signal } = this.view;
    const read = (after: string | null): Promise<StoredEntry[]> => readEntries(sql, selection, after, PAGE);
    let page = await read(null);
    for (let last = page.at(-1); last !== undefined && !signal.aborted; last = page.at(-1)) {
      // The database looks for the next page while this one is decoded.
      const following = read(last.id);
      following.catch(() => undefined);
      for (const entry of page) yield this.readAgain(entry);
      page = await following;
    }
  }

  private readAgain(entry: StoredEntry): ReadAgain {
    const choice = entry.runId === null ? undefined : this.choices.get(entry.runId);
    const decoded = decodeEntry(entry.rawBody, {
      include: choice?.include ?? NOTHING_INCLUDED,
      ...(entry.receivedAt === null ? {} : { receivedAt: entry.receivedAt }),
    });
    if (decoded.kind === 'invalid')
      return { entry, unreadable: decoded.message, unrecognized: [], sections: [] };
    const storedAs = { id: entry.id, connectionScope: entry.connectionScope };
    const sections = resolveSections(decoded.entry, storedAs, this.directory);
    const { unrecognized } = decoded.entry;
    if (choice?.connection == null || !sections.some(({ pending }) => pending === 'unknown_connection'))
      return { entry, unreadable: null, unrecognized, sections };
    const named = this.fixedDirectories.get(choice.connection);
    const again = named === undefined ? sections : resolveSections(decoded.entry, storedAs, named);
    const chosen = sections.map((section, index) =>
      section.pending === 'unknown_connection' ? (again[index] ?? section) : section,
    );
    return { entry, unreadable: null, unrecognized, sections: chosen };
  }
}

function selectionOf({ connections, restricted, since, touchedSince }: VerifyView): EntrySelection {
  const [only] = connections;
  return {
    statuses: [],
    ...(since === null ? {} : { since }),
    ...(touchedSince === null ? {} : { touchedSince }),
    ...(restricted && only !== undefined
      ? { connection: { id: only.id, phoneNumberId: only.phoneNumberId } }
      : {}),
  };
}
