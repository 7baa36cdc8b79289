import { decodeWamid } from '../identity/wamid.js';
import { INCLUDABLE_CHATS, type IncludableChat } from '../model/enumerations.js';
import type { MessageFact } from '../model/facts.js';
import { groupBy } from '../rules/group-by.js';
import { TWIN_TOLERANCE_MS } from '../rules/message-state.js';
import type { Claim } from '../store/checks/messages.js';
import type { StoredEntry } from '../store/tables/stored-entries.js';
import type { Decodable, DecodedEntry, RawLog } from './raw-log.js';

const EVERYTHING: ReadonlySet<IncludableChat> = new Set(INCLUDABLE_CHATS);

/** A message by what it says of itself. */
type Claimed = Omit<Claim, 'id' | 'batchId'>;

/** What an entry says about a row that names it. `refused`: only a body with a bad signature holds it. */
export type ClaimVerdict =
  | { holds: true }
  | { holds: false; why: 'not_held' | 'other_connection' | 'refused'; said: MessageFact | null };

/**
 * Whether an entry holds the message of a row that names it: under the row's id, or under its other name (M10), on the
 * row's connection. An entry with an unknown connection may belong to any. An earlier version may have made a row of an
 * item that is now left out by a rule or cannot be stored.
 */
export function verdictOnClaim<E extends Decodable>(
  decoded: DecodedEntry<E>,
  row: Claimed,
  log: RawLog,
): ClaimVerdict {
  return verdictsOf(decoded, log)(row);
}

/** The same for many rows of one entry, which may hold as many messages: it is decoded and looked through once for all of them. */
export function verdictsOf<E extends Decodable>(
  decoded: DecodedEntry<E>,
  log: RawLog,
): (row: Claimed) => ClaimVerdict {
  const { failure, refused, sections, entry } = decoded;
  const told = once(() => tellerOf(decoded));
  const toldOfRefused = once(() => tellerOf(log.decodeRefused(decoded)));
  const toldOfAll = once(() => tellerOf(log.decodeWith(decoded, EVERYTHING)));
  const leavesOut = once(() =>
    sections.some(({ section }) =>
      section.facts.some((fact) => fact.kind === 'skipped' || fact.kind === 'rejected'),
    ),
  );
  return (row) => {
    const verdict = told()(row);
    if (verdict.holds) return verdict;
    if (refused.length > 0 && toldOfRefused()(row).holds) return { holds: false, why: 'refused', said: null };
    if (failure !== null) return { holds: true };
    if (!leavesOut()) return verdict;
    const included = toldOfAll()(row);
    if (included.holds) return included;
    const isNamed = Buffer.from(entry.rawBody).includes(row.externalId);
    return isNamed && verdict.why === 'not_held' ? { holds: true } : verdict;
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/**
 * Whether something to come decides about the rows of an entry: its next replay, or the rest of an erasure, which removes the rows after
 * the bodies. One that failed by its signature is decided.
 */
export function isUndecided<E extends Decodable & Pick<StoredEntry, 'status' | 'isErasing'>>({
  entry,
  refused,
}: DecodedEntry<E>): boolean {
  return entry.isErasing || entry.status === 'pending' || (entry.status === 'failed' && refused.length === 0);
}

/** Whether an erasure that has not ended took the message of a row out of its entry: the row is still to go. */
export function isBeingErased<E extends Decodable & Pick<StoredEntry, 'isErasing'>>(
  decoded: DecodedEntry<E>,
  row: Claimed,
  log: RawLog,
): boolean {
  return decoded.entry.isErasing && (decoded.failure !== null || !verdictOnClaim(decoded, row, log).holds);
}

/** Tells of rows whether an entry holds their messages as ones that are imported, whatever the rows name. */
export function holderOf(decoded: DecodedEntry<Decodable>): (row: Claimed) => boolean {
  if (decoded.failure !== null) return () => false;
  const told = tellerOf(decoded);
  return (row) => told(row).holds;
}

/** A message of an entry, with its connection; null where that is unknown, which may be any. */
interface Told {
  fact: MessageFact;
  connectionId: string | null;
}

/** By their names, so that a chunk with thousands of messages is not searched for each of their rows. */
function tellerOf<E extends Decodable>({ sections }: DecodedEntry<E>): (row: Claimed) => ClaimVerdict {
  const all = sections.flatMap(({ section, connection, pending }) => {
    const connectionId = pending === null ? (connection?.id ?? null) : null;
    return section.facts.flatMap((fact): Told[] => (fact.kind === 'message' ? [{ fact, connectionId }] : []));
  });
  const byId = groupBy(all, ({ fact }) => fact.externalId);
  const byKeyId = groupBy(
    all.filter(({ fact }) => fact.stanzaId !== undefined),
    ({ fact }) => fact.stanzaId ?? '',
  );
  return (row) => {
    const isElsewhere = ({ connectionId }: Told): boolean =>
      connectionId !== null && connectionId !== row.connectionId;
    const exact = byId.get(row.externalId) ?? [];
    if (exact.some((one) => !isElsewhere(one))) return { holds: true };
    const inside = decodeWamid(row.externalId)?.stanzaId;
    const called = byKeyId.get(inside ?? row.externalId) ?? [];
    const same = [...exact, ...called.filter(({ fact }) => isSameKey(fact, row, inside))];
    if (same.some((one) => !isElsewhere(one))) return { holds: true };
    const said = (row.stanzaId === null ? [] : (byKeyId.get(row.stanzaId) ?? [])).findLast(
      (one) => !isElsewhere(one) && isSentTogether(one.fact, row),
    );
    return {
      holds: false,
      why: same.length > 0 ? 'other_connection' : 'not_held',
      said: said?.fact ?? null,
    };
  };
}

/** Whether a message with the key id that a row's own id tells is the row's. */
function isSameKey(fact: MessageFact, row: Claimed, inside: string | undefined): boolean {
  // A wamid tells its key id, whatever somebody wrote into the row.
  const isAsTold = row.stanzaId === null || row.stanzaId === (inside ?? row.externalId);
  return isAsTold || (inside !== undefined && isSentTogether(fact, row));
}

function isSentTogether(fact: MessageFact, row: Claimed): boolean {
  return fact.direction === row.direction && Math.abs(fact.timestamp - row.timestamp) <= TWIN_TOLERANCE_MS;
}
