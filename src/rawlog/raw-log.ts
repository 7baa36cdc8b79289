import type { IncludableChat } from '../model/enumerations.js';
import type { DecodedEntry as DecodedBody } from '../model/facts.js';
import type { RawEntry } from '../model/raw-entry.js';
import type { Sql } from '../store/sql.js';
import { readConnections, type ConnectionRow } from '../store/tables/connections.js';
import { readEntries, type EntrySelection, type StoredEntry } from '../store/tables/stored-entries.js';
import { scopeOf, type PreparedEntry, type PreparedSection } from '../ingest/batch/batch.js';
import { ConnectionResolver } from '../ingest/batch/connection-resolver.js';
import {
  decodeAs,
  filedUnder,
  isStray,
  resolveSections,
  withoutBodies,
  type Filing,
  type StoredAs,
} from '../ingest/batch/prepare-entry.js';
import { refusedBodies, WRONG_SIGNATURE } from '../rules/signatures.js';
import { RunChoices } from './run-choices.js';

/** Most entries are webhooks of 1 KB, but one may hold 50 MB, so a page is bounded by both. */
const PAGE = { limit: 500, maxBytes: 4 * 1024 * 1024 };

/** What is needed to decode a stored entry. */
export type Decodable = Pick<
  StoredEntry,
  | 'id'
  | 'connectionScope'
  | 'rawBody'
  | 'sha256'
  | 'isIntact'
  | 'bodyState'
  | 'removedCounters'
  | 'receivedAt'
  | 'runId'
  | 'refused'
  | 'verified'
  | 'included'
  | 'elsewhere'
>;

/** A stored entry, decoded again with the options of the run that stored it. */
export interface DecodedEntry<E extends Decodable = StoredEntry> {
  entry: E;
  storedAs: StoredAs;
  /** Why its bytes cannot be read; null when they were. */
  failure: PreparedEntry['failure'];
  provider: DecodedBody['provider'];
  /** What it should be found by; null if its bytes cannot be read. */
  filing: () => Filing | null;
  /** The parts that no decoder knows. */
  unrecognized: DecodedBody['unrecognized'];
  sections: readonly PreparedSection[];
  /** The signatures that a wrapper kept beside its bodies. */
  signatures: DecodedBody['signatures'];
  unsigned: number;
  /** The bodies with a bad signature, by path: `sections` has nothing from them. */
  refused: readonly string[];
}

/** A stored entry with the choices of the run that stored it, for those who apply it. */
export interface StoredItem {
  entry: StoredEntry;
  storedAs: StoredAs;
}

/** Reads the page of a selection after an entry. Of very many ids, only those of one page are sent with each query. */
function pagesOf(
  sql: Sql,
  { ids, ...selection }: EntrySelection,
): (after: string | null) => Promise<StoredEntry[]> {
  if (ids === undefined) return (after) => readEntries(sql, selection, after, PAGE);
  // Ids are stored in this order.
  const all = [...ids].sort();
  let at = 0;
  return async (after) => {
    while (after !== null && at < all.length && (all[at] ?? '') <= after) at += 1;
    for (let from = at; from < all.length; from += PAGE.limit) {
      const page = await readEntries(
        sql,
        { ...selection, ids: all.slice(from, from + PAGE.limit) },
        after,
        PAGE,
      );
      if (page.length > 0) return page;
    }
    return [];
  };
}

/** A stored entry as a source gives one. */
export function rawEntryOf({ entry }: StoredItem): RawEntry {
  return {
    bytes: entry.rawBody,
    origin: { kind: 'log', id: entry.id },
    ...(entry.receivedAt === null ? {} : { receivedAt: entry.receivedAt }),
  };
}

/**
 * The one reader of stored entries. It reads the raw log page by page, in storage order, and decodes every entry with
 * the options of the run that stored it: the included kinds of chats (`--include`), and its `--connection` if an entry
 * names none.
 */
export class RawLog {
  private readonly choices: RunChoices;

  constructor(
    private readonly sql: Sql,
    connections: readonly ConnectionRow[],
    private readonly resolver = new ConnectionResolver(connections),
  ) {
    this.choices = new RunChoices(sql, connections);
  }

  static async open(sql: Sql): Promise<RawLog> {
    return new RawLog(sql, await readConnections(sql));
  }

  /** The entries of a selection, decoded. Ends early when the signal is aborted. */
  async *entries(
    selection: EntrySelection,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<DecodedEntry, void, undefined> {
    const read = pagesOf(this.sql, selection);
    let page = await read(null);
    for (let last = page.at(-1); last !== undefined && signal?.aborted !== true; last = page.at(-1)) {
      // The database looks for the next page while this one is decoded.
      const following = read(last.id);
      following.catch(() => undefined);
      await this.choices.load(page);
      for (const entry of page) yield this.decodeOne(entry);
      page = await following;
    }
  }

  /** The same entries as they are stored, for a run that applies them. */
  async *stored(selection: EntrySelection): AsyncGenerator<StoredItem, void, undefined> {
    for (let last: string | null = null; ;) {
      const page: StoredEntry[] = await readEntries(this.sql, selection, last, PAGE);
      await this.choices.load(page);
      for (const entry of page) {
        last = entry.id;
        yield { entry, storedAs: this.storedAs(entry) };
      }
      if (page.length === 0) return;
    }
  }

  /** Decodes entries that were read otherwise. */
  async decode<E extends Decodable>(entries: readonly E[]): Promise<DecodedEntry<E>[]> {
    await this.choices.load(entries);
    return entries.map((entry) => this.decodeOne(entry));
  }

  /** Decodes an entry once more, with chats that its run may have left out. */
  decodeWith<E extends Decodable>(
    { entry }: DecodedEntry<E>,
    include: ReadonlySet<IncludableChat>,
  ): DecodedEntry<E> {
    return this.decodeOne(entry, include);
  }

  /** Decodes an entry once more, with the bodies that have a bad signature. */
  decodeRefused<E extends Decodable>({ entry }: DecodedEntry<E>): DecodedEntry<E> {
    return this.decodeOne({ ...entry, refused: [] });
  }

  /** Decodes other bytes in the place of an entry's. */
  decodeOther<E extends Decodable>({ entry }: DecodedEntry<E>, rawBody: Uint8Array): DecodedEntry<E> {
    return this.decodeOne({ ...entry, rawBody });
  }

  private decodeOne<E extends Decodable>(entry: E, include?: ReadonlySet<IncludableChat>): DecodedEntry<E> {
    const storedAs = this.storedAs(entry);
    const { rawBody: bytes, receivedAt } = entry;
    const decoded = decodeAs(receivedAt === null ? { bytes } : { bytes, receivedAt }, storedAs, include);
    if (decoded.kind === 'invalid') {
      const { reason, message } = decoded;
      const failure = { reason, message };
      const nothing = { unrecognized: [], sections: [], signatures: [], unsigned: 0, refused: [] };
      return { entry, storedAs, failure, provider: 'meta', filing: () => null, ...nothing };
    }
    const { provider, unrecognized, signatures, unsigned } = decoded.entry;
    const paths = signatures.map(({ path }) => path);
    const refused = refusedBodies(paths, storedAs.refused, null);
    const sections = resolveSections(withoutBodies(decoded.entry, refused), storedAs, this.resolver);
    const failure =
      refused.length > 0 && sections.length === 0
        ? ({ reason: 'bad_signature', message: WRONG_SIGNATURE } as const)
        : null;
    const scope = isStray(entry, this.resolver) ? scopeOf(provider, sections) : entry.connectionScope;
    const filing = (): Filing => filedUnder(decoded.entry, scope);
    return {
      entry,
      storedAs,
      failure,
      provider,
      filing,
      unrecognized,
      sections,
      signatures,
      unsigned,
      refused,
    };
  }

  private storedAs(entry: Decodable): StoredAs {
    const { id, connectionScope, sha256, isIntact, bodyState, refused, verified, elsewhere } = entry;
    const stored = { id, connectionScope, sha256, isIntact, bodyState, refused, verified, elsewhere };
    return { ...stored, ...this.choices.of(entry) };
  }
}
