import { readContent } from '../../decode/baileys/read-content.js';
import { identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import { canonicalPhone } from '../../identity/phone.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import {
  lackedOf,
  type CrmMessage,
  type CrmRecord,
  type CrmRow,
  type Dialect,
  type KeptQuestion,
  type NotKeptReason,
} from '../crm.js';
import { asideOfChat, asideOfContent } from '../chats.js';
import { CAPTIONED, kindOfType, type ContentKind } from '../kinds.js';
import { jsonIn, objectAt, secondsIn, stringAt, wordIn } from '../record.js';

/** What Evolution's Cloud API channel stores; every other type, stickers among them, gives no row (as of 2.3.7). */
const CLOUD_TYPES = new Set([
  'text',
  'image',
  'audio',
  'video',
  'document',
  'location',
  'contacts',
  'interactive',
  'button',
  'reaction',
]);

/** Evolution API 2.x: Prisma's tables on PostgreSQL, one instance per number, each of WhatsApp Web or of the Cloud API. */
export const EVOLUTION: Dialect = {
  name: 'evolution',
  title: 'Evolution API',
  messages: {
    table: 'Message',
    columns: ['id', 'key', 'messageType', 'message', 'messageTimestamp', 'instanceId'],
  },
  tables: [{ table: 'Instance', columns: ['id', 'name', 'ownerJid', 'integration', 'number'] }],
  optionalTables: [{ table: 'IsOnWhatsapp', columns: ['id', 'remoteJid', 'jidOptions'] }],
  connectionsQuery: () => `select id, name, "ownerJid", integration, number from "Instance" order by name`,
  readConnection: (record) => {
    const isCloudApi = wordIn(record, 'integration') === 'WHATSAPP-BUSINESS';
    const number = wordIn(record, 'number');
    const owner = wordIn(record, 'ownerJid');
    const digits = owner === null ? (isCloudApi ? null : number) : parseJid(owner).user;
    return {
      key: wordIn(record, 'id') ?? '',
      name: wordIn(record, 'name') ?? '',
      phoneNumberId: isCloudApi ? number : null,
      phone: (digits === null ? undefined : canonicalPhone(digits)) ?? null,
      isCloudApi,
    };
  },
  messagesQuery: () => `
    select id, key, "pushName", "messageType", message, "messageTimestamp", "instanceId", status, array[id] as cursor
    from "Message"
    where "instanceId" = any($1::text[]) and ($2::text[] is null or id > ($2::text[])[1])
    order by id limit $3`,
  pairsQuery: (has) =>
    has('IsOnWhatsapp', 'jidOptions')
      ? `select id, "remoteJid", "jidOptions" from "IsOnWhatsapp" where $1::text is null or id > $1 order by id limit $2`
      : null,
  readPair: (record) =>
    [wordIn(record, 'remoteJid'), ...(wordIn(record, 'jidOptions') ?? '').split(',')].reduce<Identities>(
      (all, jid) => mergeIdentities(all, identitiesOfUser(jid?.trim())),
      {},
    ),
  readRow,
  notKept,
  bodyOfEdited: 'any',
};

function readRow(record: CrmRecord): CrmRow {
  const rowId = wordIn(record, 'id') ?? '';
  const connection = wordIn(record, 'instanceId') ?? '';
  const type = wordIn(record, 'messageType') ?? 'unknown';
  const reason = asideOfContent(type);
  if (reason !== null) return { kind: 'aside', rowId, connection, reason };
  const key = jsonIn(record, 'key');
  const chat = stringAt(key, 'remoteJid') ?? '';
  // An edit puts its own time and its protocol message over the message's; so does a revoke.
  const isEdited = wordIn(record, 'status') === 'EDITED';
  const at = secondsIn(record, 'messageTimestamp');
  const direction = typeof key?.fromMe === 'boolean' ? (key.fromMe ? 'OUTBOUND' : 'INBOUND') : null;
  return {
    kind: 'message',
    message: {
      rowId,
      connection,
      externalId: stringAt(key, 'id'),
      contact: chat,
      person: mergeIdentities(
        identitiesOfUser(chat),
        identitiesOfUser(stringAt(key, 'remoteJidAlt') ?? undefined),
      ),
      direction,
      at: isEdited ? null : at,
      lacks: lackedOf({ direction, ...(isEdited ? {} : { timestamp: at }) }),
      storedAt: at,
      type,
      ...(isEdited ? { editedAt: at } : {}),
      ...said(type, record, isEdited),
      aside: asideOfChat(chat),
    },
  };
}

/**
 * What the content says, read as the log's own, and what the type beside it says. The type `conversation` is also Evolution's word
 * for whatever it has none for.
 */
function said(type: string, record: CrmRecord, isEdited: boolean): Pick<CrmMessage, 'kinds' | 'body'> {
  const stored = jsonIn(record, 'message');
  const named = wordIn(record, 'messageType') === null ? 'nothing' : kindOfType(type);
  const edit = isEdited ? protocolOf(stored) : null;
  const message = objectAt(edit, 'editedMessage') ?? stored;
  const content = readContent(
    message === stored && isRevoke(edit) ? { protocolMessage: edit } : (message ?? {}),
  );
  switch (content.kind) {
    case 'message': {
      const kind = kindOfType(content.content.type);
      // An edit may bring the new words of a caption alone.
      if (isEdited && kind === 'text' && named !== null && CAPTIONED.has(named))
        return { kinds: [named], body: content.content.body ?? null };
      const kinds = [...(kind === null ? [] : [kind]), ...noText(named)];
      if (kind === 'text') {
        return { kinds, body: content.content.body ?? stringAt(message, 'conversation') };
      }
      return {
        kinds,
        body: CAPTIONED.has(content.content.type) ? (content.content.body ?? null) : undefined,
      };
    }
    case 'skip':
      if (content.reason === 'protocol') return { kinds: noText(named), body: undefined };
      // A text without words is found by its body.
      return named === 'text'
        ? { kinds: ['text'], body: null }
        : { kinds: ['nothing', ...noText(named)], body: undefined };
    case 'edit':
    case 'revoke':
    case 'reaction':
    case 'untargeted':
      // The words went with a revoke.
      return { kinds: noText(named), body: isEdited && named === 'text' ? null : undefined };
  }
}

/** The protocol message that an edit or a revoke puts in the place of the content, whole or without its envelopes. */
function protocolOf(message: JsonObject | null): JsonObject | null {
  const inner = objectAt(objectAt(message, 'editedMessage'), 'message') ?? message;
  return objectAt(inner, 'protocolMessage') ?? inner;
}

function isRevoke(protocol: JsonObject | null): protocol is JsonObject {
  if (protocol === null) return false;
  const { kind } = readContent({ protocolMessage: protocol });
  return kind === 'revoke' || kind === 'untargeted';
}

function noText(kind: ContentKind | null): ContentKind[] {
  return kind === null || kind === 'text' ? [] : [kind];
}

function notKept({ type, source, isCloudApi, isGroup, hasErrors }: KeptQuestion): NotKeptReason | null {
  if (isGroup) return 'group';
  if (!isCloudApi) return null;
  // A webhook without `messages` or `statuses` raises an error there and is dropped.
  if (source === 'app_echo') return 'echo';
  if (source === 'history') return 'history';
  if (hasErrors) return 'with_errors';
  return CLOUD_TYPES.has(type) ? null : 'type';
}
