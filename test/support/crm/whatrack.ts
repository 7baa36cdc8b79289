import { createRandom, type Random } from '../../bench/random.js';
import { insertRows, type Sql } from './database.js';
import { CLOUD, type Day, type DayMessage, type Item, type Person } from './day.js';
import { metaContent } from './day-webhooks.js';
import { deliveriesOf } from './deliveries.js';
import { Ledger, type Expectation, type ExpectedMessage, type FillOptions } from './expectation.js';
import { toTime, uuid } from './ids.js';
import { createWhatrack } from './schemas/whatrack.js';

/** A row of whatsapp_messages. */
interface MessageRow {
  id: string;
  wamid: string;
  leadId: string;
  instanceId: string;
  app_conversation_id: string;
  dealId: string | null;
  directionId: string;
  type: string;
  body: string | null;
  mediaUrl: string | null;
  status: string;
  timestamp: string;
  source: string;
  rawMeta: object | null;
  createdAt: string;
  updatedAt: string;
}

/** The rows that others point to. */
const FIXED = {
  organization: '10000000-0000-4000-8000-000000000001',
  project: '10000000-0000-4000-8000-000000000002',
  config: '10000000-0000-4000-8000-000000000003',
  stage: '10000000-0000-4000-8000-000000000004',
  open: '10000000-0000-4000-8000-000000000005',
  INBOUND: '10000000-0000-4000-8000-000000000006',
  OUTBOUND: '10000000-0000-4000-8000-000000000007',
  live_message: '10000000-0000-4000-8000-000000000008',
  outbound_message: '10000000-0000-4000-8000-000000000009',
  history_sync: '10000000-0000-4000-8000-000000000010',
};

/** What WhaTrack knows of a person: a lead, and on its only number a conversation and perhaps a deal. */
interface Contact {
  person: Person;
  lead: string;
  conversation: string;
  deal: string | null;
  source: 'live_message' | 'outbound_message' | 'history_sync';
  firstSeen: number;
  lastSeen: number;
  inbound: number[];
  outbound: number[];
  unread: number;
}

interface Filling extends FillOptions {
  random: Random;
  ledger: Ledger;
  rows: Map<string, MessageRow>;
  contacts: Map<Person, Contact>;
}

/** Creates WhaTrack's tables of May 2026 and writes what it holds of the day: it serves the Cloud API's number alone. */
export async function fillWhatrack(sql: Sql, day: Day, options: FillOptions): Promise<Expectation> {
  await createWhatrack(sql);
  const filling: Filling = {
    ...options,
    random: createRandom(options.seed),
    ledger: new Ledger(),
    rows: new Map(),
    contacts: new Map(),
  };
  const cloud = day.messages.filter(({ connection }) => connection === 'cloud');
  const missed = new Set(cloud.filter(({ via }) => via !== 'unlogged'));
  const deliveries = deliveriesOf(day, {
    firstOnly: options.bugs.has('first_of_batch_only') ? 'entry' : undefined,
    repeats: false,
  });
  for (const { item } of deliveries) {
    if (item.kind === 'message' || item.kind === 'ghost') missed.delete(item.message);
    readItem(filling, item);
  }
  for (const message of missed) filling.ledger.dropped(message, 'first_of_batch_only');
  // What WhaTrack sent itself is known to the log by its statuses alone.
  for (const message of cloud.filter(({ via }) => via === 'unlogged')) write(filling, message, {});
  await insertFixed(sql);
  await insertContacts(sql, filling);
  await insertRows(sql, 'whatsapp_messages', [...filling.rows.values()]);
  return filling.ledger.close(cloud, () => false);
}

function readItem(filling: Filling, { kind, message, at }: Item): void {
  const { bugs, ledger, random, rows } = filling;
  switch (kind) {
    case 'status':
      return;
    case 'ghost':
      // The one that comes first stays.
      if (bugs.has('text_lost_131060')) {
        const said = { cause: 'text_lost_131060', class: 'differs', fields: ['type', 'body'] } as const;
        write(filling, message, said, { type: 'unsupported', body: null });
      }
      return;
    case 'edit':
    case 'revoke': {
      // Every item of a type that it does not know is a row.
      const id = message.edit?.id ?? message.revoke?.id ?? '';
      const row = rowOf(filling, message, { wamid: id, type: kind, body: null, timestamp: toTime(at) });
      count(filling, message, at);
      rows.set(id, row);
      ledger.noMessage(row.id, 'amendment');
      return;
    }
    case 'message':
      if (rows.has(message.id)) return;
      if (bugs.has('random_loss') && random.chance(0.06)) ledger.dropped(message, 'random_loss');
      else write(filling, message, ...truthOf(filling, message));
  }
}

type Said = Partial<Omit<ExpectedMessage, 'row'>>;

/** What a comparison has to say of a message that was read whole, and what its row holds instead. */
function truthOf(filling: Filling, message: DayMessage): [Said, Partial<MessageRow>] {
  if (message.via === 'history') {
    const isWrong = filling.bugs.has('direction_wrong') && message.direction === 'out' && !message.saysFromMe;
    if (isWrong) {
      return [
        { class: 'differs', cause: 'direction_wrong', fields: ['direction'] },
        { directionId: FIXED.INBOUND },
      ];
    }
    const isFile = message.type === 'image' || message.type === 'document';
    return isFile && message.body !== null ? [{ cause: 'caption_not_kept' }, {}] : [{}, {}];
  }
  if (message.edit !== undefined) return [{ cause: 'edit_not_kept' }, {}];
  return message.revoke === undefined ? [{}, {}] : [{ cause: 'revoked_words_kept' }, {}];
}

function write(filling: Filling, message: DayMessage, said: Said, fields: Partial<MessageRow> = {}): void {
  const row = rowOf(filling, message, fields);
  // The history does not touch counters.
  if (message.via !== 'history') count(filling, message, message.at);
  filling.rows.set(message.id, row);
  filling.ledger.stored(message, row.id, said);
}

function rowOf(filling: Filling, message: DayMessage, fields: Partial<MessageRow>): MessageRow {
  const contact = contactOf(filling, message);
  const isHistory = message.via === 'history';
  return {
    id: uuid(filling.random),
    wamid: message.id,
    leadId: contact.lead,
    instanceId: FIXED.config,
    app_conversation_id: contact.conversation,
    dealId: isHistory ? null : contact.deal,
    directionId: message.direction === 'in' ? FIXED.INBOUND : FIXED.OUTBOUND,
    type: message.type,
    body: storedBody(message),
    mediaUrl: mediaOf(message),
    status: isHistory ? 'READ' : message.direction === 'in' ? 'delivered' : 'sent',
    timestamp: toTime(message.at),
    // Rows of the history say "live", too.
    source: 'live',
    rawMeta: message.about === undefined ? null : { context: { id: message.about.id } },
    createdAt: toTime(message.at),
    updatedAt: toTime(message.at),
    ...fields,
  };
}

/** Files have a word for a body where they have no caption, and always where they come from the history. */
function storedBody(message: DayMessage): string | null {
  const caption = message.via === 'history' ? null : message.body;
  switch (message.type) {
    case 'text':
      return message.body;
    case 'image':
      return caption ?? 'Imagem';
    case 'document':
      return caption ?? 'Documento';
    case 'audio':
      return 'Áudio';
    case 'location':
    case 'contacts':
    case 'reaction':
    case 'sticker':
      return null;
  }
}

function mediaOf(message: DayMessage): string | null {
  if (!['image', 'audio', 'document', 'sticker'].includes(message.type)) return null;
  return `meta_id:${String(metaContent(message).id)}`;
}

function contactOf(filling: Filling, message: DayMessage): Contact {
  const known = filling.contacts.get(message.person);
  const isLive = message.via !== 'history';
  if (known !== undefined) {
    if (isLive) known.deal ??= uuid(filling.random);
    known.lastSeen = Math.max(known.lastSeen, message.at);
    return known;
  }
  const contact: Contact = {
    person: message.person,
    lead: uuid(filling.random),
    conversation: uuid(filling.random),
    deal: isLive ? uuid(filling.random) : null,
    source: isLive ? (message.direction === 'in' ? 'live_message' : 'outbound_message') : 'history_sync',
    firstSeen: message.at,
    lastSeen: message.at,
    inbound: [],
    outbound: [],
    unread: 0,
  };
  filling.contacts.set(message.person, contact);
  return contact;
}

function count(filling: Filling, message: DayMessage, at: number): void {
  const contact = contactOf(filling, message);
  contact[message.direction === 'in' ? 'inbound' : 'outbound'].push(at);
  contact.unread = message.direction === 'in' ? contact.unread + 1 : 0;
}

async function insertFixed(sql: Sql): Promise<void> {
  await insertRows(sql, 'org_organizations', [{ id: FIXED.organization }]);
  await insertRows(sql, 'crm_projects', [{ id: FIXED.project }]);
  await insertRows(sql, 'crm_deal_stages', [{ id: FIXED.stage }]);
  await insertRows(sql, 'crm_deal_statuses', [{ id: FIXED.open }]);
  const named = (name: 'INBOUND' | 'OUTBOUND' | Contact['source']): object => ({
    id: FIXED[name],
    name,
    description: name,
  });
  await insertRows(sql, 'crm_message_directions', [named('INBOUND'), named('OUTBOUND')]);
  await insertRows(sql, 'crm_lead_sources', [
    named('live_message'),
    named('outbound_message'),
    named('history_sync'),
  ]);
  await insertRows(sql, 'whatsapp_configs', [
    {
      id: FIXED.config,
      organizationId: FIXED.organization,
      projectId: FIXED.project,
      wabaId: CLOUD.waba,
      phoneId: CLOUD.phoneNumberId,
      displayPhone: '+55 11 90000-0000',
      verifiedName: 'Loja',
      status: 'connected',
      updatedAt: '2025-09-16T00:00:00Z',
    },
  ]);
}

async function insertContacts(sql: Sql, filling: Filling): Promise<void> {
  const contacts = [...filling.contacts.values()];
  const owner = { organizationId: FIXED.organization, projectId: FIXED.project };
  await insertRows(
    sql,
    'crm_leads',
    contacts.map(({ person, lead, source, firstSeen, lastSeen }) => ({
      ...owner,
      id: lead,
      phone: source === 'history_sync' ? `+${person.waId}` : person.waId,
      remote_jid: person.waId,
      pushName: person.name,
      sourceId: FIXED[source],
      last_message_at: toTime(lastSeen),
      firstMessageAt: toTime(firstSeen),
      created_at: toTime(firstSeen),
      updated_at: toTime(lastSeen),
    })),
  );
  await insertRows(
    sql,
    'crm_conversations',
    contacts.map((contact) => ({
      ...owner,
      ...countersOf(contact),
      id: contact.conversation,
      leadId: contact.lead,
      instanceId: FIXED.config,
      unreadCount: contact.unread,
      createdAt: toTime(contact.firstSeen),
      updatedAt: toTime(contact.lastSeen),
    })),
  );
  await insertRows(
    sql,
    'crm_deals',
    contacts
      .filter(({ deal }) => deal !== null)
      .map((contact) => ({
        ...owner,
        ...countersOf(contact),
        id: contact.deal,
        leadId: contact.lead,
        conversationId: contact.conversation,
        stageId: FIXED.stage,
        statusId: FIXED.open,
        createdAt: toTime(contact.firstSeen),
        updatedAt: toTime(contact.lastSeen),
      })),
  );
}

function countersOf({ inbound, outbound }: Contact): object {
  const last = (times: readonly number[]): string | null =>
    times.length === 0 ? null : toTime(Math.max(...times));
  return {
    messagesCount: inbound.length + outbound.length,
    inboundMessagesCount: inbound.length,
    outboundMessagesCount: outbound.length,
    lastInboundAt: last(inbound),
    lastOutboundAt: last(outbound),
  };
}
