import { itemAt } from '../../decode/item-at.js';
import { asObject, asString } from '../../decode/read.js';
import { parseJid } from '../../identity/jid.js';
import { readOldestKeyed, type KeyedMessage } from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { readEntries } from '../../store/tables/stored-entries.js';
import type { Addresses } from './subject.js';

/** The start of a request going back, and the address to ask the phone under. */
export interface Anchor {
  id: string;
  fromMe: boolean;
  timestampMs: number;
  /** The phone answers under only one of a chat's two addresses; the other is the second try. */
  address: string;
  otherAddress: string | null;
}

/**
 * The oldest stored message of a conversation in WhatsApp Web's terms, with the address that the phone most likely
 * uses: the one it last answered to, else the message's own, else the number's. Null if no message has a key, or the
 * contact has no address.
 */
export async function findAnchor(
  sql: Sql,
  conversationId: string,
  addresses: Addresses,
  answeredAs: string | null,
): Promise<Anchor | null> {
  const message = await readOldestKeyed(sql, conversationId);
  if (message === undefined) return null;
  const stored = answeredAs ?? (await readStoredAddress(sql, message));
  const address = stored ?? addresses.phone ?? addresses.lid;
  if (address === null) return null;
  const isLid = parseJid(address).kind === 'lid';
  return {
    id: message.keyId,
    fromMe: message.direction === 'OUTBOUND',
    timestampMs: message.timestamp,
    address,
    otherAddress: isLid ? addresses.phone : addresses.lid,
  };
}

const ONE = { limit: 1, maxBytes: 1 };

/** The chat's address in the raw entry of the message; null if it did not come over WhatsApp Web. */
async function readStoredAddress(sql: Sql, { entryId, keyId }: KeyedMessage): Promise<string | null> {
  if (entryId === null) return null;
  const stored = await readEntries(sql, { statuses: [], ids: [entryId] }, null, ONE);
  const [decoded] = await (await RawLog.open(sql)).decode(stored);
  if (decoded?.provider !== 'baileys') return null;
  const facts = decoded.sections.flatMap(({ section }) => section.facts);
  const fact = facts.find((candidate) => candidate.kind === 'message' && candidate.externalId === keyId);
  if (fact === undefined) return null;
  const key = asObject(asObject(itemAt(decoded.entry.rawBody, fact.path))?.key);
  const { kind, jid } = parseJid(asString(key?.remoteJid) ?? '');
  return kind === 'user' || kind === 'lid' ? jid : null;
}
