import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject } from '../read.js';
import type { People } from './people.js';

/** What one event holds, by kind of list; a list that is absent is empty. */
export interface Lists {
  messages: readonly JsonValue[];
  chats: readonly JsonValue[];
  contacts: readonly JsonValue[];
  /** Paths of the lists inside the entry. */
  paths: Readonly<Record<ListName, string>>;
  /** The event's data are one element, not a list of them; its path is then the path of the data. */
  isSingle: boolean;
}

export type ListName = 'messages' | 'chats' | 'contacts';

export function pathOfElement(lists: Lists, name: ListName, index: number): string {
  return lists.isSingle ? lists.paths[name] : `${lists.paths[name]}[${index}]`;
}

/** Reads every pair of LID and phone that chats, contacts and message keys give away. */
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
 * `lid` beside a LID is the account's own, and beside a phone it is where the chat has no other: a claim, not a statement
 * (Baileys fills it with `chat.lidJid || chat.accountLid`).
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
  // Of an own message the other address may be either side's, depending on what the server sent.
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
  // Whoever received an own message in a LID chat is its customer; Baileys falls back to this, too.
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
