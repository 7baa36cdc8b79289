import { encodeWamid } from '../../src/identity/wamid.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';

export const BUSINESS = '5511900000000';
export const SECOND_BUSINESS = '5511900000099';
export const ANA = '5511900000001';
export const BRU = '5521900000002';
export const CAR = '5531900000003';
/** Names that are no phones. */
export const ANA_BSUID = 'BR.13491208655302741918';
export const ANA_PARENT = 'BR.ENT.11815799212886844830';
export const ANA_LID = '111000000000001@lid';

/** 2025-09-16T05:20:00Z in seconds; the builders take offsets to it. */
export const T0 = 1_758_000_000;

type Parts = Record<string, JsonValue | undefined>;

/** The id of the message that WhatsApp Web calls `key`. */
export function wamid(key: string, phone = ANA): string {
  return encodeWamid(phone, key);
}

/** An offset from T0, as webhooks write times. */
export function seconds(offset: number): string {
  return String(T0 + offset);
}

/** Which of the two numbers a webhook is about. */
export interface Business {
  id: string;
  number: string;
}
export const FIRST: Business = { id: '800000000000001', number: BUSINESS };
export const SECOND: Business = { id: '800000000000002', number: SECOND_BUSINESS };

/** A whole webhook with one change. */
export function webhook(field: string, value: Parts, business = FIRST): JsonObject {
  const metadata = { display_phone_number: business.number, phone_number_id: business.id };
  return {
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '900000000000001',
        changes: [{ field, value: present({ messaging_product: 'whatsapp', metadata, ...value }) }],
      },
    ],
  };
}

/** One element of `messages[]`: a text from Ana, but for what `parts` replace; undefined takes away. */
export function item(key: string, at: number, parts: Parts = {}): JsonObject {
  const from = parts.from === undefined && 'from' in parts ? undefined : (parts.from ?? ANA);
  return present({
    from,
    id: wamid(key, typeof from === 'string' ? from : ANA),
    timestamp: seconds(at),
    type: 'text',
    text: { body: key },
    ...parts,
  });
}

/** What one customer wrote, live. */
export function live(key: string, at: number, parts: Parts = {}, business = FIRST): JsonObject {
  return webhook('messages', { messages: [item(key, at, parts)] }, business);
}

/** The same, with a profile name. */
export function liveFrom(name: string, key: string, at: number, parts: Parts = {}): JsonObject {
  const message = item(key, at, parts);
  return webhook('messages', {
    contacts: [{ profile: { name }, wa_id: message.from ?? ANA }],
    messages: [message],
  });
}

/** What the business wrote in its app. */
export function echo(key: string, at: number, parts: Parts = {}, business = FIRST): JsonObject {
  const to = typeof parts.to === 'string' ? parts.to : ANA;
  const message = item(key, at, { from: business.number, to, id: wamid(key, to), ...parts });
  return webhook('smb_message_echoes', { message_echoes: [message] }, business);
}

export function status(key: string, word: string, at: number, parts: Parts = {}): JsonObject {
  const element = { id: wamid(key), status: word, timestamp: seconds(at), recipient_id: ANA, ...parts };
  return webhook('messages', { statuses: [present(element)] });
}

export function edit(target: string, editKey: string, at: number, message: JsonObject): JsonObject {
  return live(editKey, at, {
    type: 'edit',
    text: undefined,
    edit: { original_message_id: wamid(target), message },
  });
}

export function revoke(target: string, at: number): JsonObject {
  return live(`R-${target}-${at}`, at, {
    type: 'revoke',
    text: undefined,
    revoke: { original_message_id: wamid(target) },
  });
}

/** A reaction of the customer; without an emoji it takes the last one away. */
export function reaction(target: string, at: number, emoji?: string): JsonObject {
  return live(`E-${target}-${at}`, at, {
    type: 'reaction',
    text: undefined,
    reaction: present({ message_id: wamid(target), emoji }),
  });
}

export interface Chunk {
  phase?: number | string;
  order?: number | string;
  progress?: number | string;
}

/** A history chunk with one thread. */
export function history(
  messages: JsonValue[],
  chunk: Chunk = {},
  thread: JsonObject = { id: ANA },
): JsonObject {
  const { phase = 0, order = 1, progress = 50 } = chunk;
  return webhook('history', {
    history: [{ metadata: { phase, chunk_order: order, progress }, threads: [{ ...thread, messages }] }],
  });
}

/** An element of a history thread, from Ana unless `parts` say otherwise. */
export function old(key: string, at: number, parts: Parts = {}): JsonObject {
  return item(key, at, { history_context: { status: 'READ' }, ...parts });
}

/** The business's side of a history thread, as production sends it. */
export function oldOut(key: string, at: number, parts: Parts = {}): JsonObject {
  const customer = typeof parts.to === 'string' ? parts.to : ANA;
  return item(key, at, {
    from: BUSINESS,
    id: wamid(key, customer),
    history_context: { status: 'READ', from_me: true },
    ...parts,
  });
}

/** A line of the business's address book; `at` in seconds from T0. */
export function addressBook(action: 'add' | 'remove', contact: JsonObject, at: number | string): JsonObject {
  const timestamp = typeof at === 'string' ? at : seconds(at);
  return webhook('smb_app_state_sync', {
    state_sync: [{ type: 'contact', contact, action, metadata: { timestamp } }],
  });
}

/** What a logger around WhatsApp Web stores; the number is the same as that of {@link FIRST}. */
export function webEvent(event: string, data: JsonValue, sessionId = 'loja'): JsonObject {
  return { event, sessionId, data };
}

/** One message of WhatsApp Web. */
export function webMessage(
  key: string,
  at: number,
  parts: Parts = {},
  keyParts: JsonObject = {},
): JsonObject {
  return present({
    key: { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: key, ...keyParts },
    message: { conversation: key },
    messageTimestamp: seconds(at),
    ...parts,
  });
}

/** A message that WhatsApp Web received live. */
export function webLive(key: string, at: number, parts: Parts = {}, keyParts: JsonObject = {}): JsonObject {
  return webEvent('messages.upsert', { messages: [webMessage(key, at, parts, keyParts)], type: 'notify' });
}

/** Messages of a history event of WhatsApp Web. */
export function webHistory(messages: JsonObject[], parts: JsonObject = {}): JsonObject {
  return webEvent('messaging-history.set', { chats: [], contacts: [], messages, syncType: 3, ...parts });
}

function present(parts: Parts): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(parts)) if (value !== undefined) kept[key] = value;
  return kept;
}
