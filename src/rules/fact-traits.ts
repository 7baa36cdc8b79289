import { decodeWamid } from '../identity/wamid.js';
import type { Fact, Identities, Subject } from '../model/facts.js';
import type { Amendment } from './amendments.js';

interface FactTraits {
  /** What the item counts as; null for what has no counter of its own, or says itself what it would have been. */
  subject: Subject | null;
  /** What the fact costs in a batch: 0 for what leaves no row. */
  weight: 0 | 1;
  /** Changes a message that another fact makes (rules M3, M5). */
  isAmendment: boolean;
}

/** What code that only sorts facts has to know about each kind. A new kind is a row here; what acts on it, tsc finds. */
const FACT_TRAITS: Readonly<Record<Fact['kind'], FactTraits>> = {
  message: { subject: 'message', weight: 1, isAmendment: false },
  status: { subject: 'status', weight: 1, isAmendment: true },
  edit: { subject: 'edit', weight: 1, isAmendment: true },
  revoke: { subject: 'revoke', weight: 1, isAmendment: true },
  reaction: { subject: 'reaction', weight: 1, isAmendment: true },
  address_book: { subject: 'contact', weight: 1, isAmendment: false },
  profile: { subject: null, weight: 1, isAmendment: false },
  identity_link: { subject: null, weight: 1, isAmendment: false },
  history_chunk: { subject: null, weight: 0, isAmendment: false },
  history_state: { subject: null, weight: 0, isAmendment: false },
  event: { subject: null, weight: 0, isAmendment: false },
  skipped: { subject: null, weight: 0, isAmendment: false },
  rejected: { subject: null, weight: 0, isAmendment: false },
};

/** What a fact costs in a batch. */
export function weightOf(fact: Fact): number {
  return FACT_TRAITS[fact.kind].weight;
}

/** What an item counts as; null for what has no counter of its own. */
export function subjectOf(fact: Fact): Subject | null {
  return 'subject' in fact ? fact.subject : FACT_TRAITS[fact.kind].subject;
}

export function isAmendment(fact: Fact): fact is Amendment {
  return FACT_TRAITS[fact.kind].isAmendment;
}

/** The id of the message that a fact makes or changes; null for what is about no message. */
export function messageIdOfFact(fact: Fact): string | null {
  if (fact.kind === 'message') return fact.externalId;
  return isAmendment(fact) ? fact.targetExternalId : null;
}

/** Everybody whom a fact names; an identity link names one person several times. Statuses, chunks and events name nobody. */
export function whoIsNamed(fact: Fact): readonly Identities[] {
  if ('counterpart' in fact) return [fact.counterpart];
  if (fact.kind === 'identity_link') return fact.who;
  return 'who' in fact ? [fact.who] : [];
}

/**
 * The people whom a fact is about. A status names no person who could become a lead, but the item says in whose chat its message
 * is, and so does the wamid.
 */
export function whoIsConcerned(fact: Fact): readonly Identities[] {
  if (fact.kind !== 'status') return whoIsNamed(fact);
  const phone = decodeWamid(fact.targetExternalId)?.phone;
  return [
    ...(fact.recipient === undefined ? [] : [fact.recipient]),
    ...(phone === undefined ? [] : [{ phone }]),
  ];
}
