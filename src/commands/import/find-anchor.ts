import { decodeEntry } from '../../decode/decode-entry.js';
import { itemAt } from '../../decode/item-at.js';
import { asObject, asString } from '../../decode/read.js';
import { parseJid } from '../../identity/jid.js';
import { readOldestKeyed, type KeyedMessage } from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import { readRawBody } from '../../store/tables/stored-entries.js';
import type { Addresses } from './subject.js';

/** Where a request goes back from, and under which address the phone is asked. */
export interface Anchor {
  id: string;
  fromMe: boolean;
  timestampMs: number;
  /** The phone answers under one of a chat's two addresses only; the other one is worth a second try. */
  address: string;
  otherAddress: string | null;
}

/**
 * The oldest stored message of a conversation as WhatsApp Web names it, with the address that is most likely to be the one
 * that the phone uses: the one that it last answered to, else the one that the message itself came under, else the number's.
 * Null when no message has a key, or the contact no address.
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

/** The chat's address in the raw entry that brought the message; null when it did not come over WhatsApp Web. */
async function readStoredAddress(sql: Sql, { entryId, keyId }: KeyedMessage): Promise<string | null> {
  const body = entryId === null ? undefined : await readRawBody(sql, entryId);
  if (body === undefined) return null;
  const decoded = decodeEntry(body, { include: new Set() });
  if (decoded.kind === 'invalid' || decoded.entry.provider !== 'baileys') return null;
  const facts = decoded.entry.sections.flatMap((section) => section.facts);
  const fact = facts.find((candidate) => candidate.kind === 'message' && candidate.externalId === keyId);
  if (fact === undefined) return null;
  const key = asObject(asObject(itemAt(body, fact.path))?.key);
  const { kind, jid } = parseJid(asString(key?.remoteJid) ?? '');
  return kind === 'user' || kind === 'lid' ? jid : null;
}
