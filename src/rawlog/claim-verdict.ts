import { decodeWamid } from '../identity/wamid.js';
import { INCLUDABLE_CHATS, type IncludableChat } from '../model/enumerations.js';
import type { MessageFact } from '../model/facts.js';
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
  const told = tell(decoded, row);
  if (told.holds) return told;
  if (decoded.refused.length > 0 && tell(log.decodeRefused(decoded), row).holds)
    return { holds: false, why: 'refused', said: null };
  if (decoded.failure !== null) return { holds: true };
  const facts = decoded.sections.flatMap(({ section }) => section.facts);
  const leavesOut = facts.some((fact) => fact.kind === 'skipped' || fact.kind === 'rejected');
  if (!leavesOut) return told;
  const included = tell(log.decodeWith(decoded, EVERYTHING), row);
  if (included.holds) return included;
  const isNamed = Buffer.from(decoded.entry.rawBody).includes(row.externalId);
  return isNamed && told.why === 'not_held' ? { holds: true } : told;
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

/** Whether an entry holds a row’s message as one that is imported, whatever the row names. */
export function holdsMessage(decoded: DecodedEntry<Decodable>, row: Claimed): boolean {
  return decoded.failure === null && tell(decoded, row).holds;
}

function tell<E extends Decodable>({ sections }: DecodedEntry<E>, row: Claimed): ClaimVerdict {
  let why: (ClaimVerdict & { holds: false })['why'] = 'not_held';
  let said: MessageFact | null = null;
  for (const { section, connection, pending } of sections) {
    const isElsewhere = connection !== null && pending === null && connection.id !== row.connectionId;
    for (const fact of section.facts) {
      if (fact.kind !== 'message') continue;
      if (isSameName(fact, row)) {
        if (!isElsewhere) return { holds: true };
        why = 'other_connection';
      } else if (!isElsewhere && isSameMessage(fact, row)) {
        said = fact;
      }
    }
  }
  return { holds: false, why, said };
}

function isSameName(fact: MessageFact, row: Claimed): boolean {
  const { externalId, stanzaId } = row;
  if (fact.externalId === externalId) return true;
  const decoded = decodeWamid(externalId)?.stanzaId;
  const inside = decoded ?? externalId;
  if (fact.stanzaId === undefined || fact.stanzaId !== inside) return false;
  // A wamid tells its key id, whatever somebody wrote into the row.
  return (stanzaId ?? inside) === inside || (decoded !== undefined && isSentTogether(fact, row));
}

/** By the key id, whatever the row is called. */
function isSameMessage(fact: MessageFact, row: Claimed): boolean {
  return fact.stanzaId !== undefined && fact.stanzaId === row.stanzaId && isSentTogether(fact, row);
}

function isSentTogether(fact: MessageFact, row: Claimed): boolean {
  return fact.direction === row.direction && Math.abs(fact.timestamp - row.timestamp) <= TWIN_TOLERANCE_MS;
}
