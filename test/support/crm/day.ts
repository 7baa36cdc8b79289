import { encodeWamid, WAMID_MARKERS } from '../../../src/identity/wamid.js';
import { createRandom, type Random } from '../../bench/random.js';
import { writeName, writeText } from '../../bench/phrases.js';

/** The number that Meta's Cloud API serves. */
export const CLOUD = {
  name: 'loja-cloud',
  number: '5511900000000',
  phoneNumberId: '800000000000001',
  waba: '900000000000001',
};
/** The number that is linked by WhatsApp Web. */
export const WEB = { name: 'loja-web', number: '5511900000099' };

export interface Person {
  name: string;
  /** All digits, as WhatsApp writes them today. */
  phone: string;
  /** As the log writes the number: Brazilian numbers often without their ninth digit. */
  waId: string;
  /** As the CRM writes it. */
  crmPhone: string;
  /** Digits; `told` where the log says that it is this phone's. */
  lid: { digits: string; told: boolean } | undefined;
}

export type MessageType =
  'text' | 'image' | 'audio' | 'document' | 'location' | 'contacts' | 'reaction' | 'sticker';

/** How the log came to know a message; `unlogged`: it did not, only the CRM has it. */
export type Via = 'live' | 'echo' | 'history' | 'unlogged';

export interface DayMessage {
  number: number;
  connection: 'cloud' | 'web';
  /** The wamid, or WhatsApp Web's key id. */
  id: string;
  /** The key id; also what the wamid holds. */
  keyId: string;
  person: Person;
  /** Whether the person says it in the group. */
  group: boolean;
  direction: 'in' | 'out';
  /** Seconds since 1970. */
  at: number;
  type: MessageType;
  /** The text, the caption or the name of a place or a contact; null where there is none. */
  body: string | null;
  /** The message that it replies to or reacts to. */
  about: DayMessage | undefined;
  via: Via;
  /** Whether Meta said "unsupported" with its id first. */
  ghost: boolean;
  /** Whether the history says whose it is by `from_me`, too. */
  saysFromMe: boolean;
  edit: { id: string; at: number; body: string } | undefined;
  revoke: { id: string; at: number } | undefined;
}

/** One thing in a webhook body. */
export interface Item {
  kind: 'message' | 'ghost' | 'edit' | 'revoke' | 'status';
  message: DayMessage;
  /** Its own time. */
  at: number;
}
export interface Entry {
  field: 'messages' | 'smb_message_echoes' | 'history';
  items: readonly Item[];
}
/** One webhook body, as it was posted. */
export interface Post {
  entries: readonly Entry[];
  /** Whether it came before. */
  repeated: boolean;
}

export interface Day {
  people: readonly Person[];
  groupJid: string;
  /** In the order of time. */
  messages: readonly DayMessage[];
  /** What Meta posted of the Cloud API's number, in the order of arrival. */
  posts: readonly Post[];
}

export interface DayOptions {
  seed: number;
  /** How many messages. */
  count: number;
  /** Whether Meta puts several messages and entries into one body. */
  batched: boolean;
}

/** 16 September 2025: long past, as a repair of old messages has to be. */
const START = 1_758_000_000;
const DAY_S = 86_400;
const AREA_CODES = ['11', '21', '31', '71'] as const;

/** A day of two numbers of one business: the same for the same options. */
export function createDay(options: DayOptions): Day {
  const random = createRandom(options.seed);
  const size = Math.max(12, Math.ceil(options.count / 200));
  const people = Array.from({ length: size }, (_, index) => createPerson(random, index));
  const messages: DayMessage[] = [];
  const newest = new Map<string, DayMessage>();
  // The history of 30 days, then the day.
  const times = Array.from({ length: options.count }, (_, index) =>
    index < options.count / 5
      ? START - random.between(1, 30) * DAY_S + random.between(0, DAY_S - 1)
      : START + random.between(0, DAY_S - 1),
  ).sort((a, b) => a - b);
  for (const [number, at] of times.entries()) {
    messages.push(createMessage({ random, people, newest, number, at }));
  }
  return {
    people,
    groupJid: '120363000000000001@g.us',
    messages,
    posts: arrangePosts(random, messages, options.batched),
  };
}

function createPerson(random: Random, index: number): Person {
  const area = random.pick(AREA_CODES);
  const local = `9${String(1_000_000 + index * 7_919).slice(-7)}`;
  const phone = `55${area}9${local}`;
  const short = `55${area}${local}`;
  return {
    name: writeName(random),
    phone,
    waId: index % 3 === 1 ? short : phone,
    crmPhone: index % 4 === 1 ? short : phone,
    lid: index % 2 === 0 ? { digits: String(111_000_000_000_001 + index), told: index % 4 === 0 } : undefined,
  };
}

const TYPES = [
  'text',
  'text',
  'text',
  'text',
  'text',
  'image',
  'image',
  'audio',
  'document',
  'location',
  'contacts',
  'reaction',
  'sticker',
] as const;

function createMessage(parts: {
  random: Random;
  people: readonly Person[];
  /** What can be replied to, by chat. */
  newest: Map<string, DayMessage>;
  number: number;
  at: number;
}): DayMessage {
  const { random, people, newest, number, at } = parts;
  const person = people[random.between(0, people.length - 1)] ?? fail();
  const connection = random.chance(0.5) ? 'cloud' : 'web';
  const direction = random.chance(0.6) ? 'in' : 'out';
  const group = connection === 'web' && random.chance(0.05);
  const via = viaOf(random, { connection, direction, at });
  const chat = `${connection} ${person.phone} ${group}`;
  const previous = newest.get(chat);
  const drawn = random.pick(TYPES);
  const type = drawn === 'reaction' && (previous === undefined || via === 'history') ? 'text' : drawn;
  const isReply = type === 'text' && random.chance(0.15);
  const keyId = `3EB0${random.hex(10)}${number.toString(16).toUpperCase().padStart(6, '0')}`;
  const isText = type === 'text' && via !== 'unlogged' && via !== 'history' && !group;
  const edited = isText && random.chance(0.06);
  const message: DayMessage = {
    number,
    connection,
    id: connection === 'web' ? keyId : wamidOf(person, keyId, direction),
    keyId,
    person,
    group,
    direction,
    at,
    type,
    body: bodyOf(random, type, number),
    about: type === 'reaction' || isReply ? previous : undefined,
    via,
    ghost: connection === 'cloud' && isText && direction === 'in' && random.chance(0.04),
    saysFromMe: random.chance(0.5),
    edit: edited
      ? { id: amendmentId(random, { connection, person, direction }), at: at + 90, body: writeText(random) }
      : undefined,
    revoke:
      !edited && isText && random.chance(0.04)
        ? { id: amendmentId(random, { connection, person, direction }), at: at + 120 }
        : undefined,
  };
  if (type !== 'reaction' && via !== 'unlogged') newest.set(chat, message);
  return message;
}

function viaOf(
  random: Random,
  of: { connection: 'cloud' | 'web'; direction: 'in' | 'out'; at: number },
): Via {
  // What was sent through the Cloud API comes in no webhook; and a log may have a gap.
  if (random.chance(of.connection === 'cloud' && of.direction === 'out' ? 0.3 : 0.03)) return 'unlogged';
  if (of.at < START) return 'history';
  return of.connection === 'cloud' && of.direction === 'out' ? 'echo' : 'live';
}

function wamidOf(person: Person, keyId: string, direction: 'in' | 'out'): string {
  return encodeWamid(
    person.waId,
    keyId,
    direction === 'in' ? WAMID_MARKERS.customer : WAMID_MARKERS.business,
  );
}

function amendmentId(
  random: Random,
  of: { connection: 'cloud' | 'web'; person: Person; direction: 'in' | 'out' },
): string {
  const keyId = `3A${random.hex(18)}`;
  return of.connection === 'web' ? keyId : wamidOf(of.person, keyId, of.direction);
}

function bodyOf(random: Random, type: MessageType, number: number): string | null {
  switch (type) {
    case 'text':
      // Some say a part in bold.
      return number % 7 === 0 ? `*Oi!* ${writeText(random)}` : writeText(random);
    case 'image':
    case 'document':
      return random.chance(0.5) ? writeText(random) : null;
    case 'location':
      return `Loja ${random.between(1, 99)}`;
    case 'contacts':
      return writeName(random);
    case 'reaction':
      return random.pick(['👍', '❤️', '😂']);
    case 'audio':
    case 'sticker':
      return null;
  }
}

/** An edited text of a customer that WhatsApp Web's number got: every CRM of that number has its words. */
export function isEditedText({ connection, direction, type, edit, group, via }: DayMessage): boolean {
  return (
    connection === 'web' &&
    direction === 'in' &&
    type === 'text' &&
    edit !== undefined &&
    !group &&
    via === 'live'
  );
}

/** The words of a message when the day is over. */
export function finalBody(message: DayMessage): string | null {
  return message.edit?.body ?? message.body;
}

function arrangePosts(random: Random, messages: readonly DayMessage[], batched: boolean): Post[] {
  const cloud = messages.filter((message) => message.connection === 'cloud');
  const history = cloud.filter(({ via }) => via === 'history');
  const posts: Post[] = [];
  for (let start = 0; start < history.length; start += 10) {
    posts.push(postOf([{ field: 'history', items: history.slice(start, start + 10).map(itemOf) }]));
  }
  for (const entries of groupEntries(random, liveItems(cloud), batched)) {
    posts.push(postOf(entries));
    // Meta delivers a body again when the answer came too late.
    if (random.chance(0.05)) posts.push({ entries, repeated: true });
  }
  return posts;
}

function postOf(entries: readonly Entry[]): Post {
  return { entries, repeated: false };
}

function itemOf(message: DayMessage): Item {
  return { kind: 'message', message, at: message.at };
}

/** What Meta says of the day apart from the history, in the order of time. */
function liveItems(cloud: readonly DayMessage[]): { field: Entry['field']; item: Item }[] {
  const items = cloud
    .filter(({ via }) => via !== 'history')
    .flatMap((message) => {
      const field = message.via === 'echo' ? 'smb_message_echoes' : 'messages';
      const said: { field: Entry['field']; item: Item }[] = [];
      if (message.ghost) said.push({ field, item: { kind: 'ghost', message, at: message.at } });
      if (message.via !== 'unlogged') said.push({ field, item: itemOf(message) });
      else if (message.direction === 'out') {
        said.push({ field, item: { kind: 'status', message, at: message.at } });
      }
      if (message.edit !== undefined) {
        said.push({ field, item: { kind: 'edit', message, at: message.edit.at } });
      }
      if (message.revoke !== undefined) {
        said.push({ field, item: { kind: 'revoke', message, at: message.revoke.at } });
      }
      return said;
    });
  // A stable sort: the ghost stays before its message.
  return items.sort((a, b) => a.item.at - b.item.at);
}

/** Entries of consecutive items of one field, and posts of one entry or two. */
function groupEntries(
  random: Random,
  items: readonly { field: Entry['field']; item: Item }[],
  batched: boolean,
): Entry[][] {
  const posts: Entry[][] = [];
  let open = 0;
  for (const { field, item } of items) {
    const entries = open > 0 ? posts.at(-1) : undefined;
    const last = entries?.at(-1);
    // A body never repeats an id: the ghost and its message come apart.
    const seen = entries?.some((entry) => entry.items.some((other) => other.message === item.message));
    if (entries === undefined || last === undefined || seen === true) {
      posts.push([{ field, items: [item] }]);
      open = batched && random.chance(0.4) ? random.between(1, 3) : 0;
      continue;
    }
    if (last.field === field && random.chance(0.7)) {
      entries[entries.length - 1] = { field, items: [...last.items, item] };
    } else entries.push({ field, items: [item] });
    open -= 1;
  }
  return posts;
}

function fail(): never {
  throw new Error('there is nobody');
}
