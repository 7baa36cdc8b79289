import { createHash } from 'node:crypto';
import { decodeEntry } from '../../decode/decode-entry.js';
import type { IncludableChat } from '../../model/enumerations.js';
import type { DecodedEntry } from '../../model/facts.js';
import { formatOrigin, type RawEntry } from '../../model/raw-entry.js';
import { NO_SCOPE } from '../../store/raw-log.js';
import { nodesOf } from '../plan/identity-evidence.js';
import { entryKey, scopeOf, type PreparedEntry, type PreparedSection } from './batch.js';
import type { ConnectionDirectory } from './connection-directory.js';
import { countersOf } from './entry-counters.js';
import { whoIsNamed } from './fact-kinds.js';

/** What the source already knows about an entry that comes out of webhook_log. */
export interface StoredAs {
  id: string;
  connectionScope: string;
}

/** Decodes an entry and finds its connections. Pure but for the hash; never throws on what the bytes are. */
export function prepareEntry(
  raw: RawEntry,
  storedAs: StoredAs | null,
  directory: ConnectionDirectory,
  include: ReadonlySet<IncludableChat>,
): PreparedEntry {
  const decoded = decodeEntry(raw.bytes, {
    include,
    ...(raw.receivedAt === undefined ? {} : { receivedAt: raw.receivedAt }),
  });
  const sha256 = createHash('sha256').update(raw.bytes).digest();
  const base = { origin: formatOrigin(raw.origin), bytes: raw.bytes, sha256, storedId: storedAs?.id ?? null };
  if (decoded.kind === 'invalid') {
    const connectionScope = storedAs?.connectionScope ?? NO_SCOPE;
    return {
      ...base,
      key: entryKey(connectionScope, sha256),
      connectionScope,
      provider: 'meta',
      receivedAt: raw.receivedAt ?? null,
      fields: [],
      phoneNumberIds: [],
      chatIds: [],
      counters: null,
      failure: { reason: decoded.reason, message: decoded.message },
      unrecognized: [],
      sections: [],
    };
  }
  const { entry } = decoded;
  const sections = resolveSections(entry, storedAs, directory);
  const connectionScope = storedAs?.connectionScope ?? scopeOf(entry.provider, sections);
  return {
    ...base,
    key: entryKey(connectionScope, sha256),
    connectionScope,
    provider: entry.provider,
    receivedAt: raw.receivedAt ?? entry.receivedAt ?? null,
    fields: unique(entry.sections.map((section) => section.field)),
    phoneNumberIds: unique(entry.sections.flatMap((section) => section.connection.phoneNumberId ?? [])),
    chatIds: chatIdsOf(entry),
    counters: countersOf(sections, connectionScope !== NO_SCOPE),
    failure: null,
    unrecognized: entry.unrecognized,
    sections,
  };
}

/** Finds the connection of every section of a decoded entry. */
export function resolveSections(
  entry: DecodedEntry,
  storedAs: StoredAs | null,
  directory: ConnectionDirectory,
): PreparedSection[] {
  const scoped =
    storedAs === null || storedAs.connectionScope === NO_SCOPE
      ? null
      : directory.byId(storedAs.connectionScope);
  return entry.sections.map((section) => {
    if (scoped !== null && section.connection.phoneNumberId === undefined) {
      return { section, connection: scoped, pending: null };
    }
    // Events without rows are counted whether or not anybody knows the number.
    if (section.eventOnly) return { section, connection: null, pending: null };
    return { section, ...directory.resolve(section.connection, entry.provider) };
  });
}

/** Everybody whom the entry is about, by every name that it gives: the index of `explain`, `import` and `--contact`. */
function chatIdsOf(entry: DecodedEntry): string[] {
  const ids = new Set<string>();
  for (const section of entry.sections) {
    for (const fact of section.facts) {
      for (const identities of whoIsNamed(fact)) {
        for (const node of nodesOf(identities)) ids.add(node.value);
      }
    }
  }
  return [...ids];
}

function unique(values: readonly string[]): string[] {
  return values.length < 2 ? [...values] : [...new Set(values)];
}
