import { createRandom, type Random } from '../../bench/random.js';
import { continueSequence, insertRows, type Sql } from './database.js';
import { CLOUD, WEB, type Day, type DayMessage, type Person } from './day.js';
import { cardOf } from './day-webhooks.js';
import { deliveriesOf } from './deliveries.js';
import {
  Ledger,
  type Bug,
  type Expectation,
  type ExpectedMessage,
  type FillOptions,
  type NoMessage,
} from './expectation.js';
import { toTime, uuid } from './ids.js';
import { createSplitter } from './lid-split.js';
import { createChatwoot } from './schemas/chatwoot.js';

const ACCOUNT = 1;
/** The inbox of the Cloud API's number. */
export const CLOUD_INBOX = 3;
/** The API inbox that Evolution API feeds with the messages of WhatsApp Web's number. */
export const WEB_INBOX = 4;

/** A conversation: of a person, or the group, in an inbox. */
interface Chat {
  contact: ContactRow;
  inbox: number;
  contactInbox: { id: number; sourceId: string };
  conversation: number;
  isResolved: boolean;
  /** When its messages were processed. */
  times: number[];
}
interface ContactRow {
  id: number;
  name: string;
  phone_number: string | null;
  identifier: string | null;
}

/** A row of messages that has no id yet: ids are in the order in which Chatwoot wrote them. */
interface Draft {
  at: number;
  chat: Chat;
  fields: {
    message_type: number;
    content: string | null;
    source_id: string | null;
    private?: boolean;
    status?: number;
    content_type?: number;
    content_attributes?: object;
  };
  file: number | undefined;
  /** Says of the row what is expected. */
  record: (row: string) => void;
}

type Said = Partial<Omit<ExpectedMessage, 'row'>>;

interface Filling extends FillOptions {
  day: Day;
  random: Random;
  ledger: Ledger;
  drafts: Draft[];
  contacts: Map<string, ContactRow>;
  /** Ids of contact inboxes, by contact and inbox. */
  contactInboxes: Map<string, { id: number; sourceId: string }>;
  chats: Map<string, Chat>;
  /** When conversations are resolved; a later message begins another one. */
  noon: number;
}

/** Creates Chatwoot's tables and writes what it holds of the day: a Cloud inbox, and an API inbox behind Evolution API. */
export async function fillChatwoot(sql: Sql, day: Day, options: FillOptions): Promise<Expectation> {
  await createChatwoot(sql);
  const filling: Filling = {
    ...options,
    day,
    random: createRandom(options.seed),
    ledger: new Ledger(),
    drafts: [],
    contacts: new Map(),
    contactInboxes: new Map(),
    chats: new Map(),
    noon: day.messages[Math.floor(day.messages.length * 0.6)]?.at ?? 0,
  };
  readCloud(filling);
  readWeb(filling);
  addOwnRows(filling);
  const messages = writeDrafts(filling);
  await insertInboxes(sql);
  await insertChats(sql, filling);
  await insertRows(sql, 'messages', messages);
  await insertRows(sql, 'attachments', attachmentsOf(filling));
  for (const table of ['contacts', 'contact_inboxes', 'conversations', 'messages', 'attachments']) {
    await continueSequence(sql, table);
  }
  return filling.ledger.close(day.messages, isNeverStored);
}

/** No history; of the Cloud inbox no echoes, and a card is stored without the message's id. Reactions are no messages. */
function isNeverStored(message: DayMessage): boolean {
  if (message.via === 'history') return true;
  return message.connection === 'cloud' && (message.via === 'echo' || message.type === 'contacts');
}

function readCloud(filling: Filling): void {
  const { day, random, ledger, bugs } = filling;
  const cloud = day.messages.filter(({ connection }) => connection === 'cloud');
  const missed = new Set(cloud);
  const seen = new Set<DayMessage>();
  const lost = new Set<DayMessage>();
  const deliveries = deliveriesOf(day, {
    firstOnly: bugs.has('first_of_batch_only') ? 'message' : undefined,
    repeats: bugs.has('doubled_redelivery'),
  });
  for (const { item, again } of deliveries) {
    const { message } = item;
    if (item.kind !== 'message' || message.via !== 'live') continue;
    missed.delete(message);
    if (message.type === 'reaction') continue;
    if (!seen.has(message) && bugs.has('random_loss') && random.chance(0.06)) {
      ledger.dropped(message, 'random_loss');
      lost.add(message);
    }
    seen.add(message);
    if (lost.has(message)) continue;
    if (message.type === 'contacts') draftCard(filling, message);
    else draft(filling, message, amendmentOf(message), again);
  }
  for (const message of missed) ledger.dropped(message, 'first_of_batch_only');
  // What agents sent from Chatwoot is known to the log by its statuses alone.
  for (const message of cloud.filter(({ via, type }) => via === 'unlogged' && type !== 'reaction')) {
    draft(filling, message, {}, undefined);
  }
}

function readWeb(filling: Filling): void {
  const { day, random, ledger, bugs } = filling;
  const splitOf = createSplitter(filling);
  for (const message of day.messages.filter(({ connection }) => connection === 'web')) {
    if (message.via === 'history') continue;
    if (bugs.has('random_loss') && message.via !== 'unlogged' && random.chance(0.06)) {
      ledger.dropped(message, 'random_loss');
      continue;
    }
    const { lid, said } = splitOf(message);
    draft(filling, message, { ...amendmentOf(message), ...said }, undefined, lid);
    if (message.edit !== undefined) draftEdit(filling, message, message.edit, lid);
    if (bugs.has('doubled_redelivery') && random.chance(0.05)) {
      draft(filling, message, {}, 'doubled_redelivery', lid);
    }
  }
}

function amendmentOf(message: DayMessage): Said {
  if (message.edit !== undefined) return { cause: 'edit_not_kept' };
  return message.revoke === undefined ? {} : { cause: 'revoked_words_kept' };
}

function draft(
  filling: Filling,
  message: DayMessage,
  said: Said,
  doubledBy: Bug | undefined,
  lid?: string,
): void {
  const isWeb = message.connection === 'web';
  filling.drafts.push({
    // What comes again comes later.
    at: message.at + filling.random.between(1, 4) + (doubledBy === undefined ? 0 : 5),
    chat: chatOf(filling, message, lid),
    fields: {
      message_type: message.direction === 'in' ? 0 : isWeb || message.number % 4 > 0 ? 1 : 3,
      content: contentOf(message),
      source_id: isWeb ? `WAID:${message.keyId}` : message.id,
      status: message.direction === 'in' ? 0 : 2,
      content_type: message.type === 'sticker' ? 11 : 0,
      content_attributes: {
        ...(message.about === undefined
          ? {}
          : { in_reply_to_external_id: isWeb ? `WAID:${message.about.keyId}` : message.about.id }),
        ...(isWeb ? { external_created_at: message.at } : {}),
      },
    },
    file: fileTypeOf(message),
    record: (row) => {
      filling.ledger.stored(message, row, said, doubledBy);
    },
  });
}

/** Evolution API writes an edit as a reply with the id of the message that it changes. */
function draftEdit(
  filling: Filling,
  message: DayMessage,
  edit: { at: number; body: string },
  lid?: string,
): void {
  filling.drafts.push({
    at: edit.at + 1,
    chat: chatOf(filling, message, lid),
    fields: {
      message_type: message.direction === 'in' ? 0 : 1,
      content: `\n\n\`Mensagem editada:\`\n\n${edit.body}`,
      source_id: `WAID:${message.keyId}`,
      content_attributes: { in_reply_to_external_id: message.keyId },
    },
    file: undefined,
    record: (row) => {
      filling.ledger.noMessage(row, 'amendment');
    },
  });
}

/** A row per card, none with the message's id. */
function draftCard(filling: Filling, message: DayMessage): void {
  filling.drafts.push({
    at: message.at + 1,
    chat: chatOf(filling, message),
    fields: { message_type: 0, content: cardOf(message).phone, source_id: '' },
    file: 8,
    record: (row) => {
      filling.ledger.noMessage(row, 'contact_card');
    },
  });
}

/** Texts and captions; Evolution API words places and cards, and names who speaks in a group. */
function contentOf(message: DayMessage): string | null {
  if (message.group) return `**${message.person.name}:**\n\n${message.body ?? ''}`;
  switch (message.type) {
    case 'text':
    case 'reaction':
      return message.connection === 'web' ? asMarkdown(message.body) : message.body;
    case 'image':
    case 'document':
      return message.body;
    case 'location':
      return message.connection === 'web' ? `*Location:*\n\n_Name:_ ${message.body ?? ''}` : null;
    case 'contacts':
      return `*Contact:*\n\n_Name:_ ${message.body ?? ''}`;
    case 'audio':
    case 'sticker':
      return null;
  }
}

/** Evolution API turns WhatsApp's marks into Markdown's. */
function asMarkdown(body: string | null): string | null {
  return body === null
    ? null
    : body
        .replaceAll(/\*([^\n*]+)\*/g, '**$1**')
        .replaceAll(/_([^\n_]+)_/g, '*$1*')
        .replaceAll(/~([^\n~]+)~/g, '~~$1~~');
}

/** As Chatwoot numbers the kinds of attachments. */
function fileTypeOf(message: DayMessage): number | undefined {
  switch (message.type) {
    case 'image':
    case 'sticker':
      return 0;
    case 'audio':
      return 1;
    case 'document':
      return 3;
    case 'location':
      return message.connection === 'web' ? undefined : 4;
    case 'text':
    case 'contacts':
    case 'reaction':
      return undefined;
  }
}

/** What Chatwoot and its agents write into conversations beside WhatsApp's messages. */
function addOwnRows(filling: Filling): void {
  const { random, ledger, drafts } = filling;
  const own = (
    fields: Partial<Draft['fields']>,
    why: NoMessage['why'] | undefined,
  ): ((chat: Chat, at: number) => void) => {
    return (chat, at) => {
      drafts.push({
        at,
        chat,
        fields: { message_type: 1, content: null, source_id: null, ...fields },
        file: undefined,
        record: (row) => {
          if (why === undefined) ledger.withoutId(row);
          else ledger.noMessage(row, why);
        },
      });
    };
  };
  const kinds = [
    own({ message_type: 2, content: 'Conversation was marked resolved by Ana' }, 'activity'),
    own({ private: true, content: 'cliente VIP' }, 'private_note'),
    own({ message_type: 3, content_type: 9, content: 'Please rate the conversation' }, 'csat'),
    // WhatsApp did not take it.
    own({ status: 3, content: 'Volto já' }, 'unsent'),
  ];
  // Sent by Evolution API, which did not write the id back.
  const forgotten = own({ status: 0, content: 'Já envio' }, undefined);
  const starts = new Map(drafts.toReversed().map(({ chat, at }) => [chat, at]));
  for (const [chat, at] of starts) {
    for (const add of kinds) if (random.chance(0.5)) add(chat, at + random.between(10, 5_000));
    const isGroup = chat.contact.identifier === filling.day.groupJid;
    if (chat.inbox === WEB_INBOX && !isGroup && random.chance(0.3))
      forgotten(chat, at + random.between(10, 5_000));
  }
}

function chatOf(filling: Filling, message: DayMessage, lid?: string): Chat {
  const inbox = message.connection === 'cloud' ? CLOUD_INBOX : WEB_INBOX;
  const contact = message.group ? groupContact(filling) : contactOf(filling, message.person, lid);
  const owner = `${contact.id} ${inbox}`;
  const isEarly = message.at < filling.noon;
  const key = `${owner} ${isEarly}`;
  const known = filling.chats.get(key);
  if (known !== undefined) return known;
  const contactInbox = filling.contactInboxes.get(owner) ?? {
    id: 201 + filling.contactInboxes.size,
    sourceId: inbox === CLOUD_INBOX ? message.person.crmPhone : uuid(filling.random),
  };
  filling.contactInboxes.set(owner, contactInbox);
  const chat: Chat = {
    contact,
    inbox,
    contactInbox,
    conversation: 71 + filling.chats.size,
    isResolved: isEarly || filling.random.chance(0.2),
    times: [],
  };
  filling.chats.set(key, chat);
  return chat;
}

function contactOf(filling: Filling, person: Person, lid: string | undefined): ContactRow {
  return addContact(filling, lid ?? person.phone, {
    name: lid ?? person.name,
    phone_number: lid === undefined ? `+${person.crmPhone}` : null,
    identifier: lid === undefined ? `${person.crmPhone}@s.whatsapp.net` : `${lid}@lid`,
  });
}

function groupContact(filling: Filling): ContactRow {
  const { groupJid } = filling.day;
  return addContact(filling, groupJid, { name: 'Família (GROUP)', phone_number: null, identifier: groupJid });
}

function addContact(filling: Filling, key: string, fields: Omit<ContactRow, 'id'>): ContactRow {
  const contact = filling.contacts.get(key) ?? { id: 41 + filling.contacts.size, ...fields };
  filling.contacts.set(key, contact);
  return contact;
}

/** Gives the drafts their ids, in the order of their processing. */
function writeDrafts(filling: Filling): object[] {
  filling.drafts.sort((a, b) => a.at - b.at);
  return filling.drafts.map((made, index) => {
    const id = FIRST_MESSAGE + index;
    made.record(String(id));
    made.chat.times.push(made.at);
    const { fields, chat } = made;
    const isContact = fields.message_type === 0;
    return {
      id,
      account_id: ACCOUNT,
      inbox_id: chat.inbox,
      conversation_id: chat.conversation,
      private: false,
      status: 0,
      content_type: 0,
      sender_type: isContact ? 'Contact' : fields.message_type === 1 ? 'User' : null,
      sender_id: isContact ? chat.contact.id : fields.message_type === 1 ? 2 : null,
      processed_message_content: fields.content,
      created_at: toTime(made.at),
      updated_at: toTime(made.at),
      ...fields,
      // Rails encodes what is JSON already.
      content_attributes: JSON.stringify(fields.content_attributes ?? {}),
    };
  });
}

const FIRST_MESSAGE = 501;

function attachmentsOf(filling: Filling): object[] {
  return filling.drafts.flatMap(({ file, at, fields }, index) =>
    file === undefined
      ? []
      : [
          {
            file_type: file,
            message_id: FIRST_MESSAGE + index,
            account_id: ACCOUNT,
            created_at: toTime(at),
            updated_at: toTime(at),
            fallback_title: file === 8 ? fields.content : null,
          },
        ],
  );
}

async function insertInboxes(sql: Sql): Promise<void> {
  const times = { created_at: '2025-08-01T00:00:00Z', updated_at: '2025-08-01T00:00:00Z' };
  await insertRows(sql, 'accounts', [{ id: ACCOUNT, name: 'Loja', ...times }]);
  await insertRows(sql, 'channel_whatsapp', [
    {
      id: 5,
      account_id: ACCOUNT,
      phone_number: `+${CLOUD.number}`,
      provider: 'whatsapp_cloud',
      provider_config: {
        api_key: 'secret',
        phone_number_id: CLOUD.phoneNumberId,
        business_account_id: CLOUD.waba,
        webhook_verify_token: 'secret',
      },
      ...times,
    },
  ]);
  await insertRows(sql, 'channel_api', [{ id: 6, account_id: ACCOUNT, identifier: 'api-inbox', ...times }]);
  await insertRows(sql, 'inboxes', [
    {
      id: CLOUD_INBOX,
      channel_id: 5,
      channel_type: 'Channel::Whatsapp',
      account_id: ACCOUNT,
      name: CLOUD.name,
      ...times,
    },
    {
      id: WEB_INBOX,
      channel_id: 6,
      channel_type: 'Channel::Api',
      account_id: ACCOUNT,
      name: WEB.name,
      ...times,
    },
  ]);
}

async function insertChats(sql: Sql, filling: Filling): Promise<void> {
  const chats = [...filling.chats.values()];
  const spanOf = (chat: Chat): { created_at: string; updated_at: string } => ({
    created_at: toTime(Math.min(...chat.times)),
    updated_at: toTime(Math.max(...chat.times)),
  });
  await insertRows(
    sql,
    'contacts',
    [...filling.contacts.values()].map((contact) => {
      const times = chats.filter((chat) => chat.contact === contact).flatMap((chat) => chat.times);
      const last = toTime(Math.max(...times));
      return {
        ...contact,
        account_id: ACCOUNT,
        contact_type: 1,
        created_at: toTime(Math.min(...times)),
        updated_at: last,
        last_activity_at: last,
      };
    }),
  );
  await insertRows(
    sql,
    'contact_inboxes',
    [...new Map(chats.map((chat) => [chat.contactInbox, chat])).values()].map((chat) => ({
      id: chat.contactInbox.id,
      contact_id: chat.contact.id,
      inbox_id: chat.inbox,
      source_id: chat.contactInbox.sourceId,
      pubsub_token: uuid(filling.random),
      ...spanOf(chat),
    })),
  );
  await insertRows(
    sql,
    'conversations',
    chats.map((chat) => ({
      id: chat.conversation,
      account_id: ACCOUNT,
      inbox_id: chat.inbox,
      status: chat.isResolved ? 1 : 0,
      contact_id: chat.contact.id,
      contact_inbox_id: chat.contactInbox.id,
      uuid: uuid(filling.random),
      last_activity_at: spanOf(chat).updated_at,
      agent_last_seen_at: chat.isResolved ? spanOf(chat).updated_at : spanOf(chat).created_at,
      waiting_since: chat.isResolved ? null : spanOf(chat).updated_at,
      ...spanOf(chat),
    })),
  );
}
