import { canonicalPhone } from '../../identity/phone.js';
import type {
  CrmRecord,
  CrmTable,
  CrmTables,
  Dialect,
  HasColumn,
  KeptQuestion,
  NotKeptReason,
} from '../crm.js';
import { jsonIn, stringAt, wordIn } from '../record.js';
import { readChatwootRow } from './chatwoot-rows.js';

const MESSAGES: CrmTable = {
  table: 'messages',
  columns: [
    'id',
    'content',
    'inbox_id',
    'conversation_id',
    'message_type',
    'private',
    'source_id',
    'created_at',
  ],
};
/** Columns of messages that older versions lack. */
const NEWER = ['status', 'content_type', 'content_attributes', 'sender_type'];

/**
 * Chatwoot on a server of one's own: an inbox of WhatsApp has messages of the Cloud API, or of WhatsApp Web in forks; an API inbox
 * is fed by another program, most often Evolution API.
 */
export const CHATWOOT: Dialect = {
  name: 'chatwoot',
  title: 'Chatwoot',
  messages: MESSAGES,
  tables: [
    { table: 'inboxes', columns: ['id', 'name', 'channel_id', 'channel_type'] },
    {
      table: 'conversations',
      columns: ['id', 'inbox_id', 'contact_id', 'contact_inbox_id', 'display_id', 'status'],
    },
    { table: 'contacts', columns: ['id', 'name', 'email', 'phone_number'] },
    { table: 'contact_inboxes', columns: ['id', 'contact_id', 'inbox_id', 'source_id'] },
  ],
  contactFiles: ['conversations'],
  optionalTables: [
    { table: 'channel_whatsapp', columns: ['id', 'phone_number', 'provider', 'provider_config'] },
    { table: 'attachments', columns: ['id', 'file_type', 'message_id', 'external_url'] },
  ],
  connectionsQuery,
  readConnection,
  joinConnection,
  messagesQuery,
  readRow: readChatwootRow,
  join,
  notKept,
  bodyOfEdited: 'any',
  // Evolution API turns WhatsApp's marks into Markdown's: `*bold*` into `**bold**`, `_italic_` into `*italic*`.
  wordsOf: (text) => text.replaceAll(/[*_~]/g, ''),
};

/** Skips widgets, mail and other channels: they hold no WhatsApp messages. */
function connectionsQuery(has: HasColumn): string {
  const knowsWhatsapp = has('channel_whatsapp', 'provider_config');
  const channel = knowsWhatsapp
    ? `w.phone_number, w.provider, w.provider_config->>'phone_number_id' as phone_number_id`
    : 'null as phone_number, null as provider, null as phone_number_id';
  const from = knowsWhatsapp
    ? `left join channel_whatsapp w on w.id = i.channel_id and i.channel_type = 'Channel::Whatsapp'`
    : '';
  return `
    select i.id, i.name, i.channel_type, ${channel} from inboxes i ${from}
    where i.channel_type in ('Channel::Whatsapp', 'Channel::Api') order by i.id`;
}

const CLOUD_PROVIDERS = new Set(['default', 'whatsapp_cloud']);

function readConnection(record: CrmRecord): ReturnType<Dialect['readConnection']> {
  const channel = wordIn(record, 'channel_type');
  const provider = wordIn(record, 'provider');
  const name = wordIn(record, 'name') ?? '';
  const isOther = channel !== null && channel !== 'Channel::Whatsapp' && channel !== 'Channel::Api';
  return {
    key: wordIn(record, 'id') ?? '',
    // A widget may have the number as its name, and must not be mistaken for it.
    name: isOther ? `${name} (${channel.replace('Channel::', '')})` : name,
    phoneNumberId: wordIn(record, 'phone_number_id'),
    phone: canonicalPhone(wordIn(record, 'phone_number') ?? '') ?? null,
    // What feeds an API inbox has the messages of either.
    isCloudApi: channel === 'Channel::Whatsapp' && provider !== null ? CLOUD_PROVIDERS.has(provider) : null,
  };
}

function joinConnection(tables: CrmTables): (inbox: CrmRecord) => CrmRecord {
  const channels = tables.get('channel_whatsapp');
  return (inbox) => {
    if (wordIn(inbox, 'channel_type') !== 'Channel::Whatsapp') return inbox;
    const channel = channels?.get(wordIn(inbox, 'channel_id') ?? '') ?? {};
    return {
      ...inbox,
      phone_number: channel.phone_number,
      provider: channel.provider,
      phone_number_id: stringAt(jsonIn(channel, 'provider_config'), 'phone_number_id'),
    };
  };
}

function messagesQuery(has: HasColumn): string {
  const columns = [...MESSAGES.columns, ...NEWER.filter((name) => has(MESSAGES.table, name))];
  // Attachments by page: without an index by message, each look-up would read all of them.
  return `
    with page as (
      select ${columns.map((name) => `m.${name}`).join(', ')}, i.channel_type, c.contact_id, p.phone_number,
        ${has('contacts', 'identifier') ? 'p.identifier' : 'null as identifier'}, a.source_id as contact_source_id
      from messages m
      join inboxes i on i.id = m.inbox_id
      left join conversations c on c.id = m.conversation_id
      left join contacts p on p.id = c.contact_id
      left join contact_inboxes a on a.id = c.contact_inbox_id
      where m.inbox_id = any($1::text[]::int[]) and ($2::text[] is null or m.id > ($2::text[])[1]::bigint)
      order by m.id limit $3
    ),
    files as (
      select f.message_id, min(f.file_type) as file_type from attachments f
      where f.message_id between (select min(id) from page) and (select max(id) from page) group by f.message_id
    )
    select page.*, files.file_type, array[page.id::text] as cursor
    from page left join files on files.message_id = page.id order by page.id`;
}

function join(tables: CrmTables): (message: CrmRecord) => CrmRecord {
  const [inboxes, conversations, contacts, addresses] = CHATWOOT.tables.map(({ table }) => tables.get(table));
  const files = new Map<string, unknown>();
  for (const file of tables.get('attachments')?.values() ?? []) {
    const message = wordIn(file, 'message_id') ?? '';
    if (!files.has(message)) files.set(message, file.file_type);
  }
  return (message) => {
    const conversation = conversations?.get(wordIn(message, 'conversation_id') ?? '');
    const contactId = conversation?.contact_id;
    const contact = contacts?.get(String(contactId));
    return {
      ...message,
      channel_type: inboxes?.get(wordIn(message, 'inbox_id') ?? '')?.channel_type,
      contact_id: contactId,
      phone_number: contact?.phone_number,
      identifier: contact?.identifier,
      contact_source_id: addresses?.get(String(conversation?.contact_inbox_id))?.source_id,
      file_type: files.get(wordIn(message, 'id') ?? ''),
    };
  };
}

const FILES = ['audio', 'document', 'image', 'sticker', 'video', 'voice'];
/** What Chatwoot's own WhatsApp inboxes store; of anything else they skip the message or fail. */
const OWN_TYPES = new Set([...FILES, 'button', 'interactive', 'location', 'text']);
/** What Evolution API hands on to an API inbox. */
const HANDED_ON = new Set([...OWN_TYPES, 'contacts']);

function notKept(question: KeptQuestion): NotKeptReason | null {
  const { type, direction, source, body, isGroup, hasErrors, isCloudApi, isBeforeSource } = question;
  if (isGroup) return 'group';
  // Versions of 2026 keep the Cloud API's echoes, and may import a history: from their first one on.
  if (isBeforeSource && source === 'history') return 'history';
  if (isBeforeSource && source === 'app_echo' && isCloudApi) return 'echo';
  if (!isCloudApi) {
    // A survey is a row of Chatwoot's own, which Evolution does not hand back.
    if (direction === 'OUTBOUND' && body?.includes('/survey/responses/') === true) return 'automatic';
    return HANDED_ON.has(type) ? null : 'type';
  }
  if (direction === 'INBOUND' && hasErrors) return 'with_errors';
  if (type === 'contacts') return 'without_id';
  return OWN_TYPES.has(type) ? null : 'type';
}
