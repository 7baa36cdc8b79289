import type { Context } from '../../context.js';
import { authorsOf, wamidPrefixes, wordsOfNames } from '../../identity/name-words.js';
import { phonesToLookUp } from '../../identity/phone.js';
import { SHORTEST_NAME } from '../../ingest/batch/without-erased.js';
import type { IdentityKind } from '../../model/enumerations.js';
import { readMergedLeads } from '../../store/changes/erase-person.js';
import {
  findPeopleNamed,
  hasWritten,
  readNamesOfPerson,
  readReactedTo,
  type ErasedPerson,
} from '../../store/queries/erasure.js';
import { countEntriesAbout } from '../../store/queries/explain.js';
import type { Sql } from '../../store/sql.js';
import type { Store } from '../../store/store.js';
import { readKnownIdentities } from '../../store/tables/leads.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { namesOfPhone } from '../contacts/typed-contact.js';
import { findChatsById } from './chats-by-id.js';
import { resolveContact, theOneLead } from '../contacts/resolve-contact.js';
import type { Person } from '../../rawlog/redact-entry.js';

/** An identity as a person reads it. */
export interface NamedIdentity {
  kind: IdentityKind;
  value: string;
}

/** A person who is to be erased. */
export interface FoundPerson {
  identities: NamedIdentity[];
  /** What rows are found by. */
  rows: ErasedPerson;
  /** What the raw log is searched for. */
  person: Person;
}

/** What no command of this tool reaches. */
const OUT_OF_REACH = [
  'backups of the database: restoring an older one brings the person back',
  'the log files: replay skips the person, but the files still hold them',
  'files that were exported from the database, and the output of earlier commands',
  'the CRM, and whatever other program shares the data',
  'what other people wrote about the person: quotes, mentions, texts, contact cards',
  'the ids of old groups that the person created: they begin with the number',
] as const;

/** What is left once the tables were written anew. */
const IN_EMBEDDED_LOG =
  'the write-ahead log of the embedded database, and the statistics of its planner. backup, and restore into a new home directory, leave them behind; then delete the old one';
const IN_SERVER_LOG =
  'the write-ahead log of the server until it is recycled after a CHECKPOINT, archives of it, copies on other servers, and what an older transaction or the statistics of the planner still hold until the next VACUUM';

/** The same, with what a database does not overwrite: a deleted row stays in its files as bytes that no query finds. */
export function outOfReach({ backend }: Pick<Store, 'backend'>, vacuumed = false): readonly string[] {
  if (vacuumed) return [...OUT_OF_REACH, backend === 'pglite' ? IN_EMBEDDED_LOG : IN_SERVER_LOG];
  return [
    ...OUT_OF_REACH,
    backend === 'pglite'
      ? 'the files of the embedded database: deleted rows stay in them, and in its write-ahead log. backup, and restore into a new home directory, leave them behind; then delete the old one'
      : 'the files of the server: deleted rows stay in them until VACUUM (FULL) of the database, in the write-ahead log until it is recycled after a CHECKPOINT, and in archives of it',
  ];
}

/**
 * Everything by which a person is known: all leads with one of their names, in every organization, those whose chats the ids of messages
 * tell, and what these were called.
 * `alsoCalled`: names that are known as theirs. Null if the database has nothing of the contact.
 */
export async function findPerson(
  sql: Sql,
  contact: string,
  alsoCalled: readonly string[] = [],
): Promise<FoundPerson | null> {
  const resolved = await resolveContact(sql, contact);
  const names = new Set([...resolved.names, ...alsoCalled]);
  const waiting: NamedIdentity[] = [];
  const leads = new Set<string>();
  const searched = new Set<string>();
  let people: string[] = [];
  for (let before = -1; before < names.size;) {
    before = names.size;
    for (const one of await identitiesThatWait(sql, [...names])) {
      names.add(one.value);
      waiting.push(one);
    }
    const numbers = [...names].filter((name) => name.startsWith('+') && !searched.has(name));
    for (const number of numbers) searched.add(number);
    const chats = await findChatsById(sql, numbers);
    for (const name of chats.names) names.add(name);
    for (const id of chats.leadIds) leads.add(id);
    const named = await findPeopleNamed(sql, [...names].flatMap(spellingsOf));
    people = [...new Set([...named, ...leads])];
    for (const { value } of await readKnownIdentities(sql, people)) {
      names.add(value);
      if (value.startsWith('+')) for (const name of namesOfPhone(value)) names.add(name);
    }
  }
  const known = [...names];
  if (
    people.length === 0 &&
    (await countEntriesAbout(sql, known, 1)) === 0 &&
    !(await hasWritten(sql, authorsOf(known)))
  )
    return null;
  return describePerson(sql, people, known, waiting);
}

/** What these people are called as well, as entries tell it that are not applied yet. */
async function identitiesThatWait(sql: Sql, names: readonly string[]): Promise<NamedIdentity[]> {
  const log = await RawLog.open(sql);
  const wanted = new Set(names);
  const others: NamedIdentity[] = [];
  const waiting = log.entries({ statuses: ['pending', 'partial'], chatIds: names, severalNames: true });
  for await (const { entry, sections } of waiting) {
    for (const { section, pending } of sections) {
      if (entry.status === 'partial' && pending === null) continue;
      for (const fact of section.facts) {
        if (fact.kind !== 'identity_link') continue;
        const linked = fact.who.flatMap(nodesOf);
        if (linked.some(({ value }) => wanted.has(value))) others.push(...linked);
      }
    }
  }
  return others;
}

/** A person by these names, and with these leads; `waiting`: identities that are not applied yet. */
export async function describePerson(
  sql: Sql,
  people: readonly string[],
  names: readonly string[],
  waiting: readonly NamedIdentity[] = [],
): Promise<FoundPerson> {
  const leadIds = [...people, ...(await readMergedLeads(sql, people))];
  const called = (await readNamesOfPerson(sql, people)).filter((name) => name.length >= SHORTEST_NAME);
  const ids = wordsOfNames(names);
  const authors = authorsOf(names);
  const identities = [...(await readKnownIdentities(sql, people)), ...waiting];
  const shown = new Map(identities.map(({ kind, value }) => [`${kind} ${value}`, { kind, value }]));
  return {
    identities: [...shown.values()],
    rows: { leadIds: [...new Set(leadIds)], names, words: ids, authors },
    // The id of a message holds the number as well.
    person: {
      names: new Set(names),
      words: [...new Set([...ids, ...wamidPrefixes(names), ...called])],
      messages: new Set(await readReactedTo(sql, authors)),
    },
  };
}

/** The spellings under which other programs may have stored a phone. */
function spellingsOf(name: string): string[] {
  return name.startsWith('+') ? [name, ...phonesToLookUp(name)] : [name];
}

/** The person of a contact. Throws ConfigError `unknown_contact`, `erased_contact`. */
export async function needPerson(
  sql: Sql,
  contact: string,
  secretKey: Context['secretKey'],
): Promise<FoundPerson> {
  const person = await findPerson(sql, contact);
  if (person !== null) return person;
  await theOneLead(sql, await resolveContact(sql, contact), secretKey);
  throw new Error('a contact that is nobody has a lead');
}
