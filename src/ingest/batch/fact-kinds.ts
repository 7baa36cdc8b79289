import type { Fact, Identities, Subject } from '../../model/facts.js';

/** What a fact costs in a batch. */
export function weightOf(fact: Fact): number {
  switch (fact.kind) {
    case 'message':
    case 'status':
    case 'edit':
    case 'revoke':
    case 'reaction':
    case 'address_book':
    case 'profile':
    case 'identity_link':
      return 1;
    case 'history_chunk':
    case 'history_state':
    case 'event':
    case 'skipped':
    case 'rejected':
      return 0;
  }
}

/** What an item counts as; null for what has no counter of its own. */
export function subjectOf(fact: Fact): Subject | null {
  switch (fact.kind) {
    case 'message':
    case 'status':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return fact.kind;
    case 'address_book':
      return 'contact';
    case 'skipped':
    case 'rejected':
      return fact.subject;
    case 'profile':
    case 'identity_link':
    case 'history_chunk':
    case 'history_state':
    case 'event':
      return null;
  }
}

/** Everybody whom a fact names; an identity link names one person by several names. Statuses, chunks and events name nobody. */
export function whoIsNamed(fact: Fact): readonly Identities[] {
  switch (fact.kind) {
    case 'message':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return [fact.counterpart];
    case 'address_book':
    case 'profile':
      return [fact.who];
    case 'identity_link':
      return fact.who;
    case 'status':
    case 'history_chunk':
    case 'history_state':
    case 'event':
    case 'skipped':
    case 'rejected':
      return [];
  }
}
