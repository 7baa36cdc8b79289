import { identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { canonicalPhone } from '../../identity/phone.js';
import type { Direction } from '../../model/enumerations.js';
import { asideOfChat } from '../chats.js';
import {
  lackedOf,
  type AsideReason,
  type CrmRecord,
  type CrmRow,
  type CrmTables,
  type Dialect,
} from '../crm.js';
import { kindOfType } from '../kinds.js';
import { momentIn, textIn, wordIn } from '../record.js';

/** Items of a webhook that got a row of their own; replay stores none of them as a message (M5, M6). */
const NO_MESSAGES = new Map<string, AsideReason>([
  ['edit', 'edit'],
  ['reaction', 'reaction'],
  ['revoke', 'revoke'],
]);

/** Content that gets a WhaTrack word as its body, such as the name of its kind, if it has no caption. */
const WITHOUT_OWN_WORDS = new Set([
  'audio',
  'contacts',
  'document',
  'image',
  'location',
  'media_placeholder',
  'sticker',
  'video',
  'voice',
]);

/** WhaTrack: Prisma's tables of the Cloud API's numbers; wamids are unique over all of them. */
export const WHATRACK: Dialect = {
  name: 'whatrack',
  title: 'WhaTrack',
  messages: {
    table: 'whatsapp_messages',
    columns: ['id', 'wamid', 'leadId', 'instanceId', 'directionId', 'type', 'body', 'timestamp'],
  },
  tables: [
    { table: 'whatsapp_configs', columns: ['id', 'phoneId', 'displayPhone', 'verifiedName'] },
    { table: 'crm_leads', columns: ['id', 'phone', 'remote_jid'] },
    { table: 'crm_message_directions', columns: ['id', 'name', 'description'] },
  ],
  needlessTables: [
    { table: 'crm_conversations', columns: ['id', 'leadId', 'instanceId', 'messagesCount', 'unreadCount'] },
  ],
  // A message names its lead by a key that says nothing of the person.
  neededFiles: ['crm_leads'],
  connectionsQuery: () =>
    `select id, "phoneId", "displayPhone", "verifiedName" from whatsapp_configs order by "verifiedName", id`,
  readConnection: (record) => ({
    key: wordIn(record, 'id') ?? '',
    name: wordIn(record, 'verifiedName') ?? '',
    phoneNumberId: wordIn(record, 'phoneId'),
    phone: canonicalPhone(wordIn(record, 'displayPhone') ?? '') ?? null,
    isCloudApi: true,
  }),
  messagesQuery: () => `
    select m.id, m.wamid, m."leadId", m."instanceId", m.type, m.body, m.timestamp, m."createdAt", d.name as direction,
      l.phone, l.remote_jid, array[m.timestamp::text, m.id::text] as cursor
    from whatsapp_messages m
    left join crm_message_directions d on d.id = m."directionId"
    left join crm_leads l on l.id = m."leadId"
    where m."instanceId" = any($1::text[]::uuid[])
      and ($2::text[] is null or (m.timestamp, m.id) > (($2::text[])[1]::timestamp, ($2::text[])[2]::uuid))
    order by m.timestamp, m.id limit $3`,
  readRow,
  join,
  // It stores everything that it reads, history and echoes too.
  notKept: ({ isGroup }) => (isGroup ? 'group' : null),
  bodyOfEdited: 'any',
};

function readRow(record: CrmRecord): CrmRow {
  const rowId = wordIn(record, 'id') ?? '';
  const connection = wordIn(record, 'instanceId') ?? '';
  const type = wordIn(record, 'type') ?? 'unknown';
  const reason = NO_MESSAGES.get(type);
  if (reason !== undefined) return { kind: 'aside', rowId, connection, reason };
  const address = wordIn(record, 'remote_jid');
  const phone = wordIn(record, 'phone');
  const direction = directionOf(wordIn(record, 'direction'));
  const at = momentIn(record, 'timestamp');
  const kind = wordIn(record, 'type') === null ? 'nothing' : kindOfType(type);
  return {
    kind: 'message',
    message: {
      rowId,
      connection,
      externalId: wordIn(record, 'wamid'),
      // A lead's address is unique, and what a repair looks it up by.
      contact: address ?? phone ?? `lead ${wordIn(record, 'leadId') ?? ''}`,
      person: mergeIdentities(identitiesOfUser(address ?? undefined), identitiesOfUser(phone ?? undefined)),
      direction,
      at,
      // Files without that of the directions do not tell them.
      lacks: lackedOf({ timestamp: at, ...('direction' in record ? { direction } : {}) }),
      storedAt: momentIn(record, 'createdAt'),
      type,
      kinds: kind === null ? [] : [kind],
      body: WITHOUT_OWN_WORDS.has(type) ? undefined : textIn(record, 'body'),
      aside: asideOfChat(address ?? ''),
    },
  };
}

function directionOf(name: string | null): Direction | null {
  return name === 'INBOUND' || name === 'OUTBOUND' ? name : null;
}

function join(tables: CrmTables): (message: CrmRecord) => CrmRecord {
  const leads = tables.get('crm_leads');
  const directions = tables.get('crm_message_directions');
  return (message) => {
    const lead = leads?.get(wordIn(message, 'leadId') ?? '');
    return {
      ...message,
      ...(directions === undefined
        ? {}
        : { direction: directions.get(wordIn(message, 'directionId') ?? '')?.name }),
      phone: lead?.phone,
      remote_jid: lead?.remote_jid,
    };
  };
}
