import { canonicalPhone } from '../../identity/phone.js';
import type { Fact, Identities, ProfileFact } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { asObject, textOf } from '../read.js';
import { pathOfElement, personKey, type Lists, type People } from './people.js';
import { rejected } from './outcomes.js';

/** The times of names that carry none of their own, ms since 1970. */
export interface NameTimes {
  /** For names chosen by the person: when the event came, else 0, so that any dated name outranks them. */
  profile: number;
  /** For names from the business's address book: as above, but never older than the messages in the same event. */
  addressBook: number;
}

/** The newest push name of each sender of an event; one fact each, not one per message. */
export class PushNames {
  readonly #facts = new Map<string, ProfileFact>();

  note(who: Identities, name: string, at: number, path: string): void {
    const key = personKey(who);
    const known = this.#facts.get(key);
    if (known === undefined || known.at < at) this.#facts.set(key, { kind: 'profile', path, who, name, at });
  }

  facts(): Iterable<ProfileFact> {
    return this.#facts.values();
  }
}

/**
 * The names in `contacts` and `chats`: `notify`, `verifiedName` and `username` are the person's own, `name` is the
 * business's address book. A contact's name takes precedence over its chat's. Groups and broadcasts have no lead to name.
 */
export function addListedNames(facts: Fact[], people: People, lists: Lists, times: NameTimes): void {
  const named = new Set<string>();
  lists.contacts.forEach((element, i) => {
    const path = pathOfElement(lists, 'contacts', i);
    const contact = asObject(element);
    if (contact === undefined) {
      facts.push(rejected('contact', 'not_an_object', path, element));
      return;
    }
    const who = personOf(people, contact);
    if (who === undefined) return;
    addOwnName(
      facts,
      who,
      contact,
      textOf(contact.notify) ?? textOf(contact.verifiedName),
      times.profile,
      path,
    );
    addAddressBookName(facts, named, who, contact, times.addressBook, path);
  });
  lists.chats.forEach((element, i) => {
    const path = pathOfElement(lists, 'chats', i);
    const chat = asObject(element);
    if (chat === undefined) {
      facts.push(rejected('contact', 'not_an_object', path, element));
      return;
    }
    const who = personOf(people, chat);
    if (who !== undefined) addAddressBookName(facts, named, who, chat, times.addressBook, path);
  });
}

function personOf(people: People, element: JsonObject): Identities | undefined {
  const party = people.resolve(element.id ?? element.remoteJid);
  return party.kind === 'user' || party.kind === 'lid' ? party.identities : undefined;
}

function addOwnName(
  facts: Fact[],
  who: Identities,
  contact: JsonObject,
  name: string | undefined,
  at: number,
  path: string,
): void {
  const username = usernameOf(contact);
  // Evolution API puts the push name under its own key.
  const ownName = name ?? textOf(contact.pushName);
  if (ownName === undefined && username === undefined) return;
  facts.push({ kind: 'profile', path, who, name: ownName, username, at });
}

function addAddressBookName(
  facts: Fact[],
  named: Set<string>,
  who: Identities,
  element: JsonObject,
  at: number,
  path: string,
): void {
  const name = textOf(element.displayName) ?? textOf(element.name);
  const key = personKey(who);
  if (name === undefined || named.has(key)) return;
  // WhatsApp Web fills an unsaved contact's name with its username or phone.
  if (name.replace(/^@/, '') === usernameOf(element)) return;
  if (who.phone !== undefined && canonicalPhone(name) === who.phone) return;
  named.add(key);
  facts.push({ kind: 'profile', path: `${path}.name`, who, addressBookName: name, at });
}

function usernameOf(element: JsonObject): string | undefined {
  const username = textOf(element.username)?.replace(/^@/, '');
  return username === '' ? undefined : username;
}
