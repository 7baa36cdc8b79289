import type { Fact, Identities, SkippedFact } from '../../model/facts.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import type { PreparedEntry, PreparedSection } from './batch.js';
import { subjectOf, whoIsConcerned } from '../../rules/fact-traits.js';

/** An entry with one contact's items, and the number of other people's messages in it. */
interface NarrowedEntry {
  entry: PreparedEntry;
  /** Messages of other people that were left out. */
  others: number;
}

/**
 * The entry with the items of one contact, by any of `names`; those of other people are counted as skipped. An entry
 * without others comes back unchanged. Identity links are kept for all: they create no lead, and show which addresses
 * are this contact's. Items about a whole connection are applied only with the whole entry.
 */
export function narrowEntry(entry: PreparedEntry, names: ReadonlySet<string>): NarrowedEntry {
  const facts = entry.sections.flatMap(({ section }) => section.facts);
  const isOwn = (fact: Fact): boolean => whoseIs(fact, names) !== 'other';
  if (facts.every(isOwn)) return { entry, others: 0 };
  const sections = entry.sections.map((section) => narrowSection(section, names));
  const others = facts.filter((fact) => fact.kind === 'message' && !isOwn(fact)).length;
  return { entry: { ...entry, sections, isNarrowed: true }, others };
}

function narrowSection(prepared: PreparedSection, names: ReadonlySet<string>): PreparedSection {
  const facts = prepared.section.facts.flatMap((fact): Fact[] => {
    switch (whoseIs(fact, names)) {
      case 'own':
        return [fact];
      case 'whole':
        return [];
      case 'other':
        return skippedOf(fact);
    }
  });
  return { ...prepared, section: { ...prepared.section, facts } };
}

/** The subject of an item: this contact, another one, or the whole connection. */
function whoseIs(fact: Fact, names: ReadonlySet<string>): 'own' | 'other' | 'whole' {
  switch (fact.kind) {
    case 'message':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return isNamed(fact.counterpart, names);
    case 'address_book':
    case 'profile':
      return isNamed(fact.who, names);
    case 'status':
      return whoIsConcerned(fact).some((who) => isNamed(who, names) === 'own') ? 'own' : 'other';
    case 'identity_link':
    case 'skipped':
    case 'rejected':
      return 'own';
    case 'history_chunk':
    case 'history_state':
    case 'event':
      return 'whole';
  }
}

function isNamed(identities: Identities, names: ReadonlySet<string>): 'own' | 'other' {
  return nodesOf(identities).some(({ value }) => names.has(value)) ? 'own' : 'other';
}

function skippedOf(fact: Fact): SkippedFact[] {
  const subject = subjectOf(fact);
  return subject === null ? [] : [{ kind: 'skipped', path: fact.path, subject, reason: 'other_contact' }];
}
