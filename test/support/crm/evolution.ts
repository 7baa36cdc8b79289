import { createRandom, type Random } from '../../bench/random.js';
import { insertRows, type Sql } from './database.js';
import { CLOUD, finalBody, WEB, type Day, type DayMessage, type Person } from './day.js';
import { quoteOf, webContent, webKey, type WebKey } from './day-baileys.js';
import { cardOf, metaContent } from './day-webhooks.js';
import { deliveriesOf } from './deliveries.js';
import { Ledger, type Expectation, type FillOptions } from './expectation.js';
import { cuid, toTime } from './ids.js';
import { createSplitter } from './lid-split.js';
import { createEvolution } from './schemas/evolution.js';

export const CLOUD_INSTANCE = 'cm0000000000000000cloud01';
export const WEB_INSTANCE = 'cm00000000000000000web001';

/** A row of "Message". */
interface MessageRow {
  id: string;
  key: WebKey;
  pushName: string | null;
  participant: string | null;
  messageType: string;
  message: object;
  contextInfo: object | null;
  source: 'android' | 'unknown';
  messageTimestamp: number;
  instanceId: string;
  status: string | null;
}

interface Filling extends FillOptions {
  day: Day;
  random: Random;
  ledger: Ledger;
  rows: MessageRow[];
  updates: { id: string; keyId: string; messageId: string; row: MessageRow; status: string }[];
}

/** Creates Evolution API 2.3.7's tables and writes what it holds of the day. */
export async function fillEvolution(sql: Sql, day: Day, options: FillOptions): Promise<Expectation> {
  await createEvolution(sql);
  const filling: Filling = {
    ...options,
    day,
    random: createRandom(options.seed),
    ledger: new Ledger(),
    rows: [],
    updates: [],
  };
  fillCloud(filling);
  fillWeb(filling);
  await insertRows(sql, 'Instance', [
    {
      id: CLOUD_INSTANCE,
      name: CLOUD.name,
      integration: 'WHATSAPP-BUSINESS',
      number: CLOUD.phoneNumberId,
      businessId: CLOUD.waba,
      ownerJid: null,
      token: 'secret',
    },
    {
      id: WEB_INSTANCE,
      name: WEB.name,
      integration: 'WHATSAPP-BAILEYS',
      number: null,
      businessId: null,
      ownerJid: `${WEB.number}@s.whatsapp.net`,
      token: 'secret',
    },
  ]);
  // As rows lie where ids are no order of time.
  await insertRows(
    sql,
    'Message',
    filling.rows.toSorted((a, b) => a.id.localeCompare(b.id)),
  );
  await insertRows(
    sql,
    'MessageUpdate',
    filling.updates.map(({ id, keyId, messageId, row, status }) => ({
      id,
      keyId,
      messageId,
      remoteJid: row.key.remoteJid,
      fromMe: row.key.fromMe,
      instanceId: row.instanceId,
      status,
    })),
  );
  await insertReceipts(sql, filling);
  await insertChats(sql, filling);
  return filling.ledger.close(day.messages, (message) => isNeverStored(message));
}

/** Of the Cloud API's number: no echoes, no history, and stickers leave the code before they are written. */
function isNeverStored(message: DayMessage): boolean {
  return message.connection === 'cloud' && (message.via !== 'live' || message.type === 'sticker');
}

function fillCloud(filling: Filling): void {
  const { day, random, ledger, bugs } = filling;
  const cloud = day.messages.filter((message) => message.connection === 'cloud');
  const people = [...new Set(cloud.map((message) => message.person))];
  const missed = new Set(cloud);
  const deliveries = deliveriesOf(day, {
    firstOnly: bugs.has('first_of_batch_only') ? 'message_per_entry' : undefined,
    repeats: bugs.has('doubled_redelivery'),
  });
  for (const { item, again } of deliveries) {
    const { message } = item;
    if (item.kind !== 'message' || message.via !== 'live') continue;
    missed.delete(message);
    if (message.type === 'sticker') continue;
    if (bugs.has('media_without_storage') && isFile(message)) {
      ledger.dropped(message, 'media_without_storage');
      continue;
    }
    if (again === undefined && bugs.has('random_loss') && random.chance(0.06)) {
      ledger.dropped(message, 'random_loss');
      continue;
    }
    // A body that comes again does not bring back what was lost of it.
    if (again !== undefined && !ledger.has(message) && message.type !== 'reaction') continue;
    const other =
      bugs.has('race_of_two_webhooks') && random.chance(0.1) ? otherThan(random, people, message) : undefined;
    const row = cloudRow(filling, message, other ?? message.person);
    filling.rows.push(row);
    ledger.stored(message, row.id, cloudTruth(message, other), again);
  }
  for (const message of missed) ledger.dropped(message, 'first_of_batch_only');
  // What Evolution API sent itself is known to the log by its statuses alone.
  for (const message of cloud.filter(({ via }) => via === 'unlogged')) {
    const row = cloudRow(filling, message, message.person);
    filling.rows.push(row);
    ledger.stored(message, row.id, {});
  }
}

function cloudTruth(message: DayMessage, other: Person | undefined): Parameters<Ledger['stored']>[2] {
  if (other !== undefined) return { class: 'other_contact', cause: 'race_of_two_webhooks' };
  if (message.edit !== undefined) return { cause: 'edit_not_kept' };
  return message.revoke === undefined ? {} : { cause: 'revoked_words_kept' };
}

function isFile(message: DayMessage): boolean {
  return message.type === 'image' || message.type === 'audio' || message.type === 'document';
}

function otherThan(random: Random, people: readonly Person[], message: DayMessage): Person | undefined {
  const others = people.filter((person) => person !== message.person);
  return others[random.between(0, others.length - 1)];
}

function cloudRow(filling: Filling, message: DayMessage, person: Person): MessageRow {
  const contextInfo = message.about === undefined ? null : { stanzaId: message.about.id };
  return {
    id: cuid(filling.random),
    key: {
      id: message.id,
      remoteJid: `${person.crmPhone}@s.whatsapp.net`,
      fromMe: message.direction === 'out',
    },
    pushName: person.name,
    participant: null,
    messageType: CLOUD_TYPES[message.type],
    message: { ...cloudContent(message), ...(contextInfo === null ? {} : { contextInfo }) },
    contextInfo,
    source: 'unknown',
    messageTimestamp: message.at,
    instanceId: CLOUD_INSTANCE,
    status: null,
  };
}

const CLOUD_TYPES = {
  text: 'conversation',
  image: 'imageMessage',
  audio: 'audioMessage',
  document: 'documentMessage',
  location: 'locationMessage',
  contacts: 'contactMessage',
  reaction: 'reactionMessage',
  sticker: 'stickerMessage',
} as const;

function cloudContent(message: DayMessage): object {
  switch (message.type) {
    case 'text':
      return { conversation: message.body };
    case 'image':
    case 'document':
    case 'sticker':
      return {
        [`${message.type}Message`]: metaContent(message),
        mediaUrl: `https://s3.example.test/${message.number}`,
      };
    case 'audio':
      return {
        audioMessage: { ...metaContent(message), ptt: true },
        mediaUrl: `https://s3.example.test/${message.number}`,
      };
    case 'location':
      return {
        locationMessage: {
          degreesLatitude: -23.55,
          degreesLongitude: -46.63,
          name: message.body,
          address: 'Rua Augusta',
        },
      };
    case 'contacts': {
      const { name, phone } = cardOf(message);
      const vcard = `BEGIN:VCARD\nVERSION:3.0\nN:${name}\nFN:${name}\nitem1.TEL;waid=${phone}:${phone}\nEND:VCARD`;
      return { contactMessage: { displayName: name, vcard } };
    }
    case 'reaction':
      return { reactionMessage: { key: { id: message.about?.id }, text: message.body } };
  }
}

function fillWeb(filling: Filling): void {
  const { day, random, ledger, bugs, rows } = filling;
  const splitOf = createSplitter(filling);
  for (const message of day.messages.filter(({ connection }) => connection === 'web')) {
    const isLost = bugs.has('random_loss') && message.via !== 'unlogged' && random.chance(0.06);
    if (isLost) {
      ledger.dropped(message, 'random_loss');
      continue;
    }
    const split = splitOf(message);
    const row = webRow(filling, message, split.lid);
    rows.push(row);
    ledger.stored(message, row.id, {
      ...(message.revoke === undefined ? {} : { cause: 'revoked_words_kept' }),
      ...(row.status === 'EDITED' ? { cause: 'edits_overwrite' } : {}),
      ...split.said,
    });
    if (bugs.has('doubled_redelivery') && random.chance(0.05)) {
      const double = { ...row, id: cuid(random) };
      rows.push(double);
      ledger.stored(message, double.id, {}, 'doubled_redelivery');
    }
  }
}

function webRow(filling: Filling, message: DayMessage, lid: string | undefined): MessageRow {
  const { day, random, bugs } = filling;
  const { remoteJidAlt, addressingMode, ...plain } = webKey(day, message);
  const known =
    remoteJidAlt === undefined || addressingMode === undefined
      ? plain
      : { ...plain, remoteJidAlt, addressingMode };
  // Then the row names the LID alone.
  const key = lid === undefined ? known : { ...plain, remoteJid: `${lid}@lid` };
  const amended = message.edit ?? message.revoke;
  const overwrites = bugs.has('edits_overwrite') && amended !== undefined;
  const row: MessageRow = {
    id: cuid(random),
    key,
    pushName: message.direction === 'in' ? message.person.name : null,
    participant: key.participant ?? null,
    ...webStored(message),
    source: 'android',
    messageTimestamp: overwrites ? amended.at : message.at,
    instanceId: WEB_INSTANCE,
    status: overwrites ? 'EDITED' : message.direction === 'in' ? 'DELIVERY_ACK' : 'READ',
  };
  if (overwrites) {
    filling.updates.push({ id: cuid(random), keyId: key.id, messageId: row.id, row, status: 'EDITED' });
  }
  return row;
}

/** An extended text is written as a plain one, and what it quotes beside it. */
function webStored(message: DayMessage): Pick<MessageRow, 'messageType' | 'message' | 'contextInfo'> {
  const contextInfo =
    message.about === undefined || message.type === 'reaction' ? null : quoteOf(message.about);
  if (message.type === 'text') {
    return { messageType: 'conversation', message: { conversation: finalBody(message) }, contextInfo };
  }
  return { messageType: CLOUD_TYPES[message.type], message: webContent(message), contextInfo };
}

/** What hangs on the business's own rows: that they were read. */
async function insertReceipts(sql: Sql, { rows, random }: Filling): Promise<void> {
  await insertRows(
    sql,
    'MessageUpdate',
    rows
      .filter(({ key, instanceId }) => key.fromMe && instanceId === WEB_INSTANCE)
      .map((row) => ({
        id: cuid(random),
        keyId: row.key.id,
        remoteJid: row.key.remoteJid,
        fromMe: true,
        status: 'READ',
        messageId: row.id,
        instanceId: row.instanceId,
      })),
  );
}

async function insertChats(sql: Sql, filling: Filling): Promise<void> {
  const { random } = filling;
  const newest = new Map<string, MessageRow>();
  for (const row of filling.rows) {
    const chat = `${row.instanceId} ${row.key.remoteJid}`;
    const known = newest.get(chat);
    if (known === undefined || known.messageTimestamp < row.messageTimestamp) newest.set(chat, row);
  }
  const chats = [...newest.values()].map((row) => ({
    id: cuid(random),
    instanceId: row.instanceId,
    remoteJid: row.key.remoteJid,
    updatedAt: toTime(row.messageTimestamp),
  }));
  await insertRows(
    sql,
    'Chat',
    chats.map((chat) => ({ ...chat, id: cuid(random), unreadMessages: 0 })),
  );
  // Contacts of the Cloud API's number are written with a field that does not exist, and fail.
  await insertRows(
    sql,
    'Contact',
    chats.filter(({ instanceId }) => instanceId === WEB_INSTANCE),
  );
  // Who is split is split because nothing here says whose the LID is.
  const withLid = filling.day.people.flatMap(({ phone, lid }) =>
    lid === undefined || filling.ledger.isSplit(phone) ? [] : [{ phone, lid }],
  );
  await insertRows(
    sql,
    'IsOnWhatsapp',
    withLid.map(({ phone, lid }) => ({
      id: cuid(random),
      remoteJid: `${phone}@s.whatsapp.net`,
      jidOptions: `${phone}@s.whatsapp.net,${lid.digits}@lid`,
      lid: 'lid',
      updatedAt: '2025-09-16T12:00:00Z',
    })),
  );
}
