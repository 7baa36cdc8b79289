import { identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import { canonicalPhone } from '../../identity/phone.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import type { CrmRecord, CrmRow, Dialect, KeptQuestion, NotKeptReason } from '../crm.js';
import { jsonIn, objectAt, secondsIn, stringAt, wordIn } from '../record.js';
import { asideOfChat, asideOfContent } from '../chats.js';

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
  bodyOfEdited: 'unknown',
};

function readRow(record: CrmRecord): CrmRow {
  const rowId = wordIn(record, 'id') ?? '';
  const connection = wordIn(record, 'instanceId') ?? '';
  const type = wordIn(record, 'messageType') ?? 'unknown';
  const reason = asideOfContent(type);
  if (reason !== null) return { kind: 'aside', rowId, connection, reason };
  const key = jsonIn(record, 'key');
  const chat = stringAt(key, 'remoteJid') ?? '';
  // An edit puts its own time over the message's.
  const isEdited = wordIn(record, 'status') === 'EDITED';
  const at = secondsIn(record, 'messageTimestamp');
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
      direction: key?.fromMe === true ? 'OUTBOUND' : 'INBOUND',
      at: isEdited ? null : at,
      storedAt: at,
      type,
      body: isEdited ? undefined : textOf(type, jsonIn(record, 'message')),
      aside: asideOfChat(chat),
    },
  };
}

/** Only of texts: the words of media are in many places, and Evolution rewrites `extendedTextMessage`. */
function textOf(type: string, message: JsonObject | null): string | undefined {
  switch (type) {
    case 'conversation':
      return stringAt(message, 'conversation') ?? undefined;
    case 'extendedTextMessage':
      return (
        stringAt(objectAt(message, 'extendedTextMessage'), 'text') ??
        stringAt(message, 'conversation') ??
        undefined
      );
    default:
      return undefined;
  }
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
