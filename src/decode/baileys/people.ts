import { hasIdentity, identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { parseJid, type JidKind } from '../../identity/jid.js';
import type { Identities, IdentityLinkFact } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, textOf } from '../read.js';

/** A longer address is invalid and would not fit an index. */
const MAX_JID = 255;

/** The person or thing a JID names. */
export interface Party {
  kind: JidKind;
  /** Normalized: without device, `c.us` as `s.whatsapp.net`. */
  jid: string;
  /** For a `user` or a `lid`, with the event's other names for it; otherwise empty. */
  identities: Identities;
}

/** How certain the event is that a LID and a phone are one account. */
export type Certainty = 'stated' | 'claimed';

interface Pair {
  lid: string;
  phone: Identities;
  path: string;
}

const NOBODY: Party = { kind: 'unknown', jid: '', identities: {} };

/**
 * Resolves identities inside one entry: which LID belongs to which phone (rule I2: digits of a LID are never a phone).
 *
 * Call {@link learn} for everything first, then {@link settle}, then {@link resolve}: the last message may explain the
 * first one's LID.
 *
 * Some places only claim a pair: `contact.lid` may be the account's own LID, the `Alt` of an own message the business's
 * own phone. Such a claim counts only when nothing contradicts it; otherwise it could merge every customer into one
 * lead.
 */
export class People {
  readonly #parties = new Map<string, Party>();
  readonly #pairs = new Map<string, Pair>();
  readonly #claims = new Map<string, Pair>();
  readonly #phoneOfLid = new Map<string, Identities>();
  readonly #lidOfPhone = new Map<string, string>();
  readonly #resolved = new Map<string, Party>();

  /** Reads a JID alone, without its owner's other names. */
  parse(value: JsonValue | undefined): Party {
    const text = textOf(value);
    if (text === undefined || text.length > MAX_JID) return NOBODY;
    const known = this.#parties.get(text);
    if (known !== undefined) return known;
    // contact.phoneNumber is bare digits in some dumps.
    const { kind, jid } = parseJid(/^\d+$/.test(text) ? `${text}@s.whatsapp.net` : text);
    const isPerson = kind === 'user' || kind === 'lid';
    const party: Party = { kind, jid, identities: isPerson ? identitiesOfUser(jid) : {} };
    const usable = isPerson && !hasIdentity(party.identities) ? NOBODY : party;
    this.#parties.set(text, usable);
    return usable;
  }

  /** Notes that two JIDs are one account; does nothing unless one is a LID and the other a phone. */
  learn(a: JsonValue | undefined, b: JsonValue | undefined, certainty: Certainty, path: string): void {
    const first = this.parse(a);
    const second = this.parse(b);
    const [lid, user] = first.kind === 'lid' ? [first, second] : [second, first];
    if (lid.kind !== 'lid' || user.kind !== 'user') return;
    const key = `${lid.jid} ${phoneKey(user.identities)}`;
    const pairs = certainty === 'stated' ? this.#pairs : this.#claims;
    if (!pairs.has(key)) pairs.set(key, { lid: lid.jid, phone: user.identities, path });
  }

  /** Decides which claims to accept. Call once, after the last {@link learn}. */
  settle(): void {
    for (const pair of this.#pairs.values()) this.#index(pair);
    const lids = new Map<string, number>();
    const phones = new Map<string, number>();
    for (const { lid, phone } of this.#claims.values()) {
      lids.set(lid, (lids.get(lid) ?? 0) + 1);
      phones.set(phoneKey(phone), (phones.get(phoneKey(phone)) ?? 0) + 1);
    }
    for (const [key, pair] of this.#claims) {
      const phone = phoneKey(pair.phone);
      const contradicted =
        lids.get(pair.lid) !== 1 ||
        phones.get(phone) !== 1 ||
        this.#phoneOfLid.has(pair.lid) ||
        this.#lidOfPhone.has(phone);
      if (!contradicted) {
        this.#pairs.set(key, pair);
        this.#index(pair);
      }
    }
  }

  #index(pair: Pair): void {
    if (!this.#phoneOfLid.has(pair.lid)) this.#phoneOfLid.set(pair.lid, pair.phone);
    const phone = phoneKey(pair.phone);
    if (!this.#lidOfPhone.has(phone)) this.#lidOfPhone.set(phone, pair.lid);
  }

  /** Reads a JID with all of its owner's names in the event. Call after {@link settle}. */
  resolve(value: JsonValue | undefined): Party {
    const party = this.parse(value);
    if (party.kind !== 'user' && party.kind !== 'lid') return party;
    const known = this.#resolved.get(party.jid);
    if (known !== undefined) return known;
    const also =
      party.kind === 'lid'
        ? this.#phoneOfLid.get(party.jid)
        : lidOnly(this.#lidOfPhone.get(phoneKey(party.identities)));
    const resolved =
      also === undefined ? party : { ...party, identities: mergeIdentities(party.identities, also) };
    this.#resolved.set(party.jid, resolved);
    return resolved;
  }

  /** One fact for every pair, including people who wrote nothing. */
  links(): IdentityLinkFact[] {
    return [...this.#pairs.values()].map(({ lid, phone, path }) => ({
      kind: 'identity_link',
      path,
      who: [{ lid }, phone],
    }));
  }
}

/** One name per person of an event: the phone if known. */
export function personKey(identities: Identities): string {
  return identities.phone ?? identities.lid ?? identities.waId ?? '';
}

function phoneKey(phone: Identities): string {
  return phone.phone ?? phone.waId ?? '';
}

function lidOnly(lid: string | undefined): Identities | undefined {
  return lid === undefined ? undefined : { lid };
}

/** The contents of one event, by kind of list; an absent list is empty. */
export interface Lists {
  messages: readonly JsonValue[];
  chats: readonly JsonValue[];
  contacts: readonly JsonValue[];
  /** Paths of the lists inside the entry. */
  paths: Readonly<Record<ListName, string>>;
  /** Whether the event's data are a single element instead of a list; its path is then the data's path. */
  isSingle: boolean;
}

export type ListName = 'messages' | 'chats' | 'contacts';

export function pathOfElement(lists: Lists, name: ListName, index: number): string {
  return lists.isSingle ? lists.paths[name] : `${lists.paths[name]}[${index}]`;
}

/** Learns every pair of LID and phone from chats, contacts and message keys. */
export function learnFromLists(people: People, lists: Lists): void {
  const accountLids = new Set<string>();
  lists.chats.forEach((chat, i) => {
    const object = asObject(chat);
    if (object !== undefined) learnFromChat(people, object, accountLids, pathOfElement(lists, 'chats', i));
  });
  lists.contacts.forEach((contact, i) => {
    const object = asObject(contact);
    if (object !== undefined)
      learnFromContact(people, object, accountLids, pathOfElement(lists, 'contacts', i));
  });
  lists.messages.forEach((message, i) => {
    const object = asObject(message);
    if (object !== undefined) learnFromMessage(people, object, pathOfElement(lists, 'messages', i));
  });
}

function learnFromChat(people: People, chat: JsonObject, accountLids: Set<string>, path: string): void {
  people.learn(chat.id, chat.pnJid, 'stated', `${path}.pnJid`);
  people.learn(chat.id, chat.lidJid, 'stated', `${path}.lidJid`);
  const accountLid = people.parse(chat.accountLid);
  if (accountLid.kind === 'lid') accountLids.add(accountLid.jid);
  const participants = asArray(chat.participant) ?? asArray(chat.participants) ?? [];
  participants.forEach((participant, i) => {
    const member = asObject(participant);
    if (member === undefined) return;
    const id = member.id ?? member.userJid;
    for (const other of ['phoneNumber', 'jid', 'lid']) {
      people.learn(id, member[other], 'stated', `${path}.participant[${i}]`);
    }
  });
}

/**
 * Beside a LID, `lid` is the account's own; beside a phone it may be, because Baileys fills it with `chat.lidJid ||
 * chat.accountLid`: a claim, not a statement.
 */
function learnFromContact(
  people: People,
  contact: JsonObject,
  accountLids: ReadonlySet<string>,
  path: string,
): void {
  const id = contact.id ?? contact.remoteJid;
  people.learn(id, contact.phoneNumber, 'stated', `${path}.phoneNumber`);
  // 6.7.x: id is a LID, jid the phone.
  people.learn(id, contact.jid, 'stated', `${path}.jid`);
  if (people.parse(id).kind === 'user' && !accountLids.has(people.parse(contact.lid).jid)) {
    people.learn(id, contact.lid, 'claimed', `${path}.lid`);
  }
}

/** `lidPnMappings` (`{lid, pn}`) and the protobuf's own `phoneNumberToLidMappings` (`{lidJid, pnJid}`). */
export function learnFromMappings(people: People, mappings: JsonValue | undefined, path: string): void {
  asArray(mappings)?.forEach((mapping, i) => {
    learnFromMapping(people, mapping, `${path}[${i}]`);
  });
}

/** `{lid, pn}`; `chats.phoneNumberShare` of 6.7.x says `{lid, jid}`. */
export function learnFromMapping(people: People, mapping: JsonValue, path: string): void {
  const pair = asObject(mapping);
  if (pair === undefined) return;
  people.learn(pair.lid ?? pair.lidJid, pair.pn ?? pair.pnJid ?? pair.jid, 'stated', path);
}

function learnFromMessage(people: People, message: JsonObject, path: string): void {
  const key = asObject(message.key);
  if (key === undefined) return;
  const chat = people.parse(key.remoteJid).kind;
  if (chat !== 'user' && chat !== 'lid') {
    learnParticipant(people, key, `${path}.key`);
    return;
  }
  const fromMe = key.fromMe === true;
  const certainty = fromMe ? 'claimed' : 'stated';
  // For an own message, the other address may be either side's, depending on the server.
  for (const other of ['remoteJidAlt', 'previousRemoteJid']) {
    if (key[other] !== undefined) people.learn(key.remoteJid, key[other], certainty, `${path}.key.${other}`);
  }
  if (!fromMe) {
    // The sender of an own message is the business, so these say nothing about the chat.
    for (const other of ['senderPn', 'senderLid']) {
      if (key[other] !== undefined)
        people.learn(key.remoteJid, key[other], certainty, `${path}.key.${other}`);
    }
    return;
  }
  // The recipient of an own message in a LID chat is its customer; Baileys uses the same fallback.
  if (chat === 'lid') {
    asArray(message.userReceipt)?.forEach((receipt, i) => {
      people.learn(key.remoteJid, asObject(receipt)?.userJid, 'claimed', `${path}.userReceipt[${i}].userJid`);
    });
  }
}

function learnParticipant(people: People, key: JsonObject, path: string): void {
  for (const other of ['participantAlt', 'participantPn', 'participantLid']) {
    if (key[other] !== undefined) people.learn(key.participant, key[other], 'stated', `${path}.${other}`);
  }
}
