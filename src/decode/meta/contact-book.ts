import { hasIdentity, identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { phoneEquivalents } from '../../identity/phone.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject, textOf } from '../read.js';
import { isBusiness, listIn, objectsIn, type ChangeContext } from './change-context.js';

/** One element of `value.contacts[]`: the customer who sent or received items of the value. */
export interface Contact {
  path: string;
  who: Identities;
  /** Other forms of the same phone in items of this value (Argentina), by phone; an Identities holds only one. */
  aliases: Map<string, Identities>;
  name: string | undefined;
  username: string | undefined;
  /** The group in which the items of this value were written, if the contact names it instead of the item. */
  group: string | undefined;
  /** The newest item that names this contact, ms; 0 for none. */
  at: number;
}

/** The contacts of one value, found by any identity. */
export class ContactBook {
  readonly #contacts: Contact[] = [];
  readonly #byIdentity = new Map<string, Contact>();

  get size(): number {
    return this.#contacts.length;
  }

  /** The contact, if the value has exactly one, with an identity. */
  get only(): Contact | undefined {
    const [contact] = this.#contacts;
    return this.#contacts.length === 1 && contact !== undefined && hasIdentity(contact.who)
      ? contact
      : undefined;
  }

  add(contact: Contact): void {
    this.#contacts.push(contact);
    for (const key of keysOf(contact.who)) {
      if (!this.#byIdentity.has(key)) this.#byIdentity.set(key, contact);
    }
  }

  find(who: Identities): Contact | undefined {
    if (this.#contacts.length === 0) return undefined;
    for (const key of keysOf(who)) {
      const contact = this.#byIdentity.get(key);
      if (contact !== undefined) return contact;
    }
    return undefined;
  }

  /** The group that the item's contact names (rule M6); without a match, the value's only contact counts. */
  groupOf(who: Identities): string | undefined {
    const [first] = this.#contacts;
    const contact = this.find(who) ?? (this.#contacts.length === 1 ? first : undefined);
    return contact?.group;
  }

  /**
   * Adds the facts of the contacts themselves, once per value: a link for several identities, a profile for a name.
   * `newest`: the time of the newest item of the value, for contacts that no item names.
   */
  addFacts(context: ChangeContext, newest: number): void {
    for (const { path, who, aliases, name, username, at } of this.#contacts) {
      if (isBusiness(context, who)) continue;
      if (aliases.size > 0 || countIdentities(who) > 1) {
        context.facts.push({ kind: 'identity_link', path, who: [who, ...aliases.values()] });
      }
      if ((name === undefined && username === undefined) || !hasIdentity(who)) continue;
      const seen = at > 0 ? at : newest > 0 ? newest : (context.receivedAt ?? 0);
      context.facts.push({ kind: 'profile', path, who, name, username, at: seen });
    }
  }
}

export function readContacts(context: ChangeContext, list: JsonValue | undefined): ContactBook {
  const book = new ContactBook();
  const elements = listIn(context, list, `${context.path}.contacts`);
  if (elements === undefined) return book;
  for (const [contact, path] of objectsIn(context, elements, `${context.path}.contacts`, 'contact')) {
    const profile = asObject(contact.profile);
    book.add({
      path,
      who: identitiesOfUser(textOf(contact.wa_id), [textOf(contact.user_id), textOf(contact.parent_user_id)]),
      aliases: new Map(),
      name: textOf(profile?.name),
      username: usernameOf(profile?.username),
      group: textOf(contact.group_id),
      at: 0,
    });
  }
  return book;
}

/** The sender of the item, by all its ids. */
export function senderOf(item: JsonObject): Identities {
  return identitiesOfUser(textOf(item.from), [textOf(item.from_user_id), textOf(item.from_parent_user_id)]);
}

/** The recipient of the item. */
export function recipientOf(item: JsonObject): Identities {
  return identitiesOfUser(textOf(item.to), [textOf(item.to_user_id), textOf(item.to_parent_user_id)]);
}

/** The identities of an item and its contact together; keeps a second phone of the contact as an alias. */
export function withContact(who: Identities, contact: Contact | undefined): Identities {
  if (contact === undefined) return who;
  if (who.phone !== undefined && contact.who.phone !== undefined && who.phone !== contact.who.phone) {
    if (!contact.aliases.has(who.phone)) contact.aliases.set(who.phone, who);
  }
  return widened(who, contact.who);
}

/**
 * `who` with the identities that `more` adds; the same object when it adds none, so that messages of one person share it.
 */
export function widened(who: Identities, more: Identities): Identities {
  const adds =
    (more.phone !== undefined && who.phone === undefined) ||
    (more.waId !== undefined && who.waId === undefined) ||
    (more.lid !== undefined && who.lid === undefined) ||
    (more.bsuids?.some((id) => who.bsuids?.includes(id) !== true) ?? false);
  return adds ? mergeIdentities(who, more) : who;
}

/** How many identities a person has; phone and wa_id count as one. */
export function countIdentities(who: Identities): number {
  const number = who.phone === undefined && who.waId === undefined ? 0 : 1;
  return number + (who.lid === undefined ? 0 : 1) + (who.bsuids?.length ?? 0);
}

/** A username is written with `@` in some webhooks and without in others. */
export function usernameOf(value: JsonValue | undefined): string | undefined {
  const text = textOf(value);
  if (text?.startsWith('@') !== true) return text;
  return text.length > 1 ? text.slice(1) : undefined;
}

function keysOf(who: Identities): string[] {
  const keys: string[] = [];
  if (who.phone !== undefined) keys.push(who.phone, ...phoneEquivalents(who.phone));
  if (who.waId !== undefined) keys.push(who.waId);
  if (who.lid !== undefined) keys.push(who.lid);
  if (who.bsuids !== undefined) keys.push(...who.bsuids);
  return keys;
}
