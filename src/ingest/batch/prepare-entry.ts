import { hash } from 'node:crypto';
import { decodeEntry } from '../../decode/decode-entry.js';
import { INCLUDABLE_CHATS, type BodyState, type IncludableChat } from '../../model/enumerations.js';
import type { DecodedEntry, Section } from '../../model/facts.js';
import { formatOrigin, type Origin, type RawEntry } from '../../model/raw-entry.js';
import { provesBytes } from '../../store/entry-id.js';
import { NO_SCOPE } from '../../store/tables/webhook-log.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { entryKey, refuse, scopeOf, type PreparedEntry, type PreparedSection } from './batch.js';
import type { ConnectionResolver } from './connection-resolver.js';
import { whoIsConcerned } from '../../rules/fact-traits.js';
import {
  isRefused,
  judgeAgain,
  refusedBodies,
  verifiedBodies,
  type SignedTexts,
} from '../../rules/signatures.js';
import { countersOf } from './entry-counters.js';
import { textWithoutNames } from '../../rules/texts-without-names.js';
import type { ErasedPeople } from '../../rules/erased-people.js';
import { withoutErased } from './without-erased.js';

/** The columns of webhook_log that decide how a stored entry is decoded. */
export interface StoredAs {
  id: string;
  connectionScope: string;
  /** Id of the connection given to the storing run (`--connection`), for entries that name none. */
  connectionId: string | null;
  /** The chats that the same run included (`--include`). */
  include: ReadonlySet<IncludableChat>;
  sha256: Uint8Array;
  /** False if its bytes differ from those stored: nothing in them is applied. */
  isIntact: boolean;
  /** Why its body was removed on purpose; null where it is as it came. */
  bodyState: BodyState | null;
  /** The bodies with a bad signature: nothing in them is applied until one of the app's secrets fits. */
  refused: readonly string[];
  /** The bodies whose signature fitted a secret before. */
  verified: readonly string[];
  /** The phone_number_ids whose connections stayed behind when the entry was copied. */
  elsewhere: readonly string[];
}

/**
 * Decodes an entry and finds its connections, without the items of the people whom `resolver` knows as erased. Pure except for the hash;
 * never throws because of the bytes.
 */
export function prepareEntry(
  raw: RawEntry,
  storedAs: StoredAs | null,
  resolver: ConnectionResolver,
  include: ReadonlySet<IncludableChat>,
  appSecrets: readonly string[] = [],
): PreparedEntry {
  const prepared = prepareWhole(raw, storedAs, resolver, include, appSecrets);
  const { erased } = resolver;
  // Nothing is read from other bytes than those that were stored: what becomes of these is left to the erasure.
  if (erased === null || storedAs?.isIntact === false) return prepared;
  const readAs = storedAs === null ? null : { ...storedAs, refused: [] };
  const without = withoutErased(prepared, erased, (bytes) =>
    prepareWhole({ ...raw, bytes }, readAs, resolver, include, []),
  );
  // A file may be called after somebody. The line of it is no name.
  const origin = formatOrigin(originWithout(raw.origin, erased));
  return origin === without.origin ? without : { ...without, origin };
}

function originWithout(origin: Origin, erased: ErasedPeople): Origin {
  if (origin.kind === 'file') return { ...origin, path: textWithoutNames(origin.path, erased) };
  return origin.kind === 'crm' ? { ...origin, rowId: textWithoutNames(origin.rowId, erased) } : origin;
}

function prepareWhole(
  raw: RawEntry,
  storedAs: StoredAs | null,
  resolver: ConnectionResolver,
  include: ReadonlySet<IncludableChat>,
  appSecrets: readonly string[],
): PreparedEntry {
  const decoded = decodeAs(raw, storedAs, include);
  const sha256 = storedAs?.sha256 ?? hash('sha256', raw.bytes, 'buffer');
  const base = {
    origin: formatOrigin(raw.origin),
    bytes: raw.bytes,
    sha256,
    storedId: storedAs?.id ?? null,
    toldConnectionId: storedAs?.connectionId ?? null,
  };
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
      counters: () => null,
      failure: { reason: decoded.reason, message: decoded.message },
      signed: [],
      unsigned: 0,
      verdicts: null,
      verified: storedAs?.verified ?? [],
      refused: storedAs?.refused ?? [],
      included: [],
      unrecognized: [],
      sections: [],
      ...(!isUnread(decoded) && isMarkedStray(storedAs, resolver) ? { isStray: true } : {}),
    };
  }
  const { entry } = decoded;
  const verdicts = verdictsOn(entry, appSecrets, storedAs?.verified ?? []);
  const signed = entry.signatures.map(({ path }) => path);
  const refused = refusedBodies(signed, storedAs?.refused ?? [], verdicts);
  const sections = resolveSections(withoutBodies(entry, refused), storedAs, resolver);
  const connectionScope = storedAs?.connectionScope ?? scopeOf(entry.provider, sections);
  const { provider, fields, phoneNumberIds, chatIds } = filedUnder(entry, connectionScope);
  // Spelled out: an object that is put together of several with so many fields is kept as a hash table of three kilobytes.
  const prepared: PreparedEntry = {
    origin: base.origin,
    bytes: base.bytes,
    sha256,
    storedId: base.storedId,
    toldConnectionId: base.toldConnectionId,
    key: entryKey(connectionScope, sha256),
    connectionScope,
    provider,
    fields,
    phoneNumberIds,
    chatIds,
    receivedAt: raw.receivedAt ?? entry.receivedAt ?? null,
    counters: () => countersOf(prepared, connectionScope !== NO_SCOPE),
    failure: null,
    signed,
    unsigned: entry.unsigned,
    verdicts,
    verified: verifiedBodies(signed, storedAs?.verified ?? [], verdicts),
    refused: [],
    included: includedOf(raw, storedAs, include),
    unrecognized: entry.unrecognized,
    sections,
  };
  if (isToldByItsRun(storedAs, resolver)) prepared.keepsRun = true;
  if (isMarkedStray(storedAs, resolver)) prepared.isStray = true;
  refuse(prepared, refused);
  return prepared;
}

/**
 * The kinds of chats that the entry holds and that are read only because `--include` names them: what a decoder skips without
 * it. Every later reader has to know of them.
 */
function includedOf(
  raw: RawEntry,
  storedAs: StoredAs | null,
  include: ReadonlySet<IncludableChat>,
): readonly IncludableChat[] {
  const asked = new Set([...(storedAs?.include ?? []), ...include]);
  if (asked.size === 0) return [];
  const plain = decodeAs(raw, storedAs === null ? null : { ...storedAs, include: new Set() });
  if (plain.kind === 'invalid') return [];
  const skipped = new Set(
    plain.entry.sections.flatMap(({ facts }) =>
      facts.flatMap((fact): string[] => (fact.kind === 'skipped' ? [fact.reason] : [])),
    ),
  );
  return INCLUDABLE_CHATS.filter((chat) => asked.has(chat) && skipped.has(chat));
}

function verdictsOn(
  { signatures }: DecodedEntry,
  appSecrets: readonly string[],
  verified: readonly string[],
): PreparedEntry['verdicts'] {
  if (appSecrets.length === 0) return null;
  const answers: SignedTexts = new WeakMap();
  return new Map(
    signatures.map((signed) => [signed.path, judgeAgain(signed, appSecrets, verified, answers)]),
  );
}

/** An entry without the sections of these bodies. */
export function withoutBodies(entry: DecodedEntry, refused: readonly string[]): DecodedEntry {
  if (refused.length === 0) return entry;
  return { ...entry, sections: entry.sections.filter((section) => !isRefused(section, refused)) };
}

/**
 * Decodes an entry; a stored one with the options of the run that stored it, and never if its bytes were changed since.
 */
export function decodeAs(
  { bytes, receivedAt }: Pick<RawEntry, 'bytes' | 'receivedAt'>,
  storedAs: Pick<StoredAs, 'include' | 'isIntact' | 'bodyState'> | null,
  include: ReadonlySet<IncludableChat> = new Set(),
):
  | ReturnType<typeof decodeEntry>
  | { kind: 'invalid'; reason: 'damaged' | 'pruned' | 'erased'; message: string } {
  if (storedAs?.isIntact === false) return { kind: 'invalid', reason: 'damaged', message: DAMAGED };
  const state = storedAs?.bodyState ?? null;
  if (state === 'pruned' || state === 'erased')
    return { kind: 'invalid', reason: state, message: `its body was ${state}` };
  const options = { include: storedAs === null ? include : new Set([...storedAs.include, ...include]) };
  const timed = decodeEntry(bytes, receivedAt === undefined ? options : { ...options, receivedAt });
  // The stored time is then the first one of the entry itself: each of its bodies has been read with the time beside that body.
  const isOwnTime =
    storedAs !== null &&
    receivedAt !== undefined &&
    timed.kind === 'decoded' &&
    timed.entry.hasOtherTimes === true &&
    timed.entry.receivedAt === receivedAt;
  const decoded = isOwnTime ? decodeEntry(bytes, options) : timed;
  // What is left of a body does not have its signature; that is no forgery.
  return state === 'redacted' && decoded.kind === 'decoded'
    ? { ...decoded, entry: { ...decoded.entry, signatures: [] } }
    : decoded;
}

/** The error of an entry with bytes changed after it was stored. */
const DAMAGED = 'its bytes are not those that were stored (sha256)';

/** Whether a failure says nothing about the entry: its stored bytes are not those that came. */
export function isUnread({ reason }: { reason: NonNullable<PreparedEntry['failure']>['reason'] }): boolean {
  return reason === 'damaged' || reason === 'pruned' || reason === 'erased';
}

/** Finds the connection of every section of a decoded entry. */
export function resolveSections(
  entry: DecodedEntry,
  storedAs: Pick<StoredAs, 'connectionScope' | 'connectionId' | 'elsewhere'> | null,
  resolver: ConnectionResolver,
): PreparedSection[] {
  const scoped =
    storedAs === null || storedAs.connectionScope === NO_SCOPE
      ? null
      : resolver.byId(storedAs.connectionScope);
  const sections = entry.sections.map((section) => resolveSection(section));
  // A later section of the entry may have named the connection an earlier one waits for.
  return sections.every(({ pending }) => pending === null)
    ? sections
    : sections.map((section) => (section.pending === null ? section : resolveSection(section.section)));

  function resolveSection(section: Section): PreparedSection {
    if (scoped !== null && section.connection.phoneNumberId === undefined) {
      return { section, connection: scoped, pending: null };
    }
    // Events without rows are counted whether or not the number is known.
    if (section.eventOnly) return { section, connection: null, pending: null };
    const resolved = resolver.resolve(section.connection, entry.provider, storedAs?.connectionId ?? null);
    const { phoneNumberId } = section.connection;
    // Its connection stayed behind, and nobody has made it here: nothing waits for it.
    return resolved.connection === null &&
      phoneNumberId !== undefined &&
      storedAs?.elsewhere.includes(phoneNumberId) === true
      ? { section, connection: null, pending: null }
      : { section, ...resolved };
  }
}

function isToldByItsRun(storedAs: StoredAs | null, resolver: ConnectionResolver): boolean {
  if (storedAs === null || resolver.isFixed) return false;
  return storedAs.connectionId !== null || storedAs.include.size > 0;
}

/** A run that was given a connection does not say which one another run meant. */
function isMarkedStray(storedAs: StoredAs | null, resolver: ConnectionResolver): boolean {
  return storedAs !== null && !resolver.isFixed && isStray(storedAs, resolver);
}

/** Whether a stored entry is filed under a connection that does not exist: another program wrote it. */
export function isStray(
  { connectionScope }: Pick<StoredAs, 'connectionScope'>,
  resolver: ConnectionResolver,
): boolean {
  return connectionScope !== NO_SCOPE && resolver.byId(connectionScope) === null;
}

/** What a stored entry is found by: columns of webhook_log that follow from its body, and from its run. */
export type Filing = Pick<
  PreparedEntry,
  'connectionScope' | 'provider' | 'fields' | 'phoneNumberIds' | 'chatIds'
>;

export function filedUnder(entry: DecodedEntry, connectionScope: string): Filing {
  return {
    connectionScope,
    provider: entry.provider,
    fields: unique(entry.sections.map((section) => section.field)),
    phoneNumberIds: unique(entry.sections.flatMap((section) => section.connection.phoneNumberId ?? [])),
    chatIds: chatIdsOf(entry),
  };
}

/**
 * Whether a stored entry is found by something else than its body says (`told`). With other bytes in the place of the stored ones, the
 * old filing is all that is left of these, and stays: only an id that proves the bytes counts. A connection that does not exist is
 * left of nothing.
 */
export function isMisfiled(
  stored: Filing & { id: string; sha256: Uint8Array },
  told: Filing | null,
): boolean {
  if (told === null) return false;
  if (stored.connectionScope !== told.connectionScope) return true;
  return provesBytes(stored.id, stored.sha256) && !isFiledAlike(stored, told);
}

/** In whatever order they name things. */
function isFiledAlike(a: Filing, b: Filing): boolean {
  const lists = [
    [a.fields, b.fields],
    [a.phoneNumberIds, b.phoneNumberIds],
    [a.chatIds, b.chatIds],
  ] as const;
  return a.provider === b.provider && lists.every(([mine, others]) => haveSame(mine, others));
}

function haveSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const known = new Set(a);
  return b.every((value) => known.has(value));
}

/** Everyone the entry is about, by every name in it: the index for `explain`, `import` and `--contact`. */
function chatIdsOf(entry: DecodedEntry): string[] {
  const ids = new Set<string>();
  for (const section of entry.sections) {
    for (const fact of section.facts) {
      for (const identities of whoIsConcerned(fact)) {
        for (const node of nodesOf(identities)) ids.add(node.value);
      }
    }
  }
  return [...ids];
}

function unique(values: readonly string[]): string[] {
  return values.length < 2 ? [...values] : [...new Set(values)];
}
