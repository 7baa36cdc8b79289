import { decodeWamid } from '../identity/wamid.js';
import type { Fact, Identities, Subject } from '../model/facts.js';
import type { Amendment } from './amendments.js';

interface FactTraits {
  /** What the item counts as; null if it has no counter, or names its own. */
  subject: Subject | null;
  /** What the fact costs in a batch: 0 if it leaves no row. */
  weight: 0 | 1;
  /** Changes a message made by another fact (rules M3, M5). */
  isAmendment: boolean;
}

/**
 * What code that only sorts facts must know about each kind. A new kind is a row here; tsc finds the code that acts on
 * it.
 */
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

/** What an item counts as; null if it has no counter. */
export function subjectOf(fact: Fact): Subject | null {
  return 'subject' in fact ? fact.subject : FACT_TRAITS[fact.kind].subject;
}

export function isAmendment(fact: Fact): fact is Amendment {
  return FACT_TRAITS[fact.kind].isAmendment;
}

/** The id of the message that a fact makes or changes; null if it is about none. */
export function messageIdOfFact(fact: Fact): string | null {
  if (fact.kind === 'message') return fact.externalId;
  return isAmendment(fact) ? fact.targetExternalId : null;
}

/** Everyone a fact names; an identity link gives one person several names. Statuses, chunks and events name no one. */
export function whoIsNamed(fact: Fact): readonly Identities[] {
  if ('counterpart' in fact) return [fact.counterpart];
  if (fact.kind === 'identity_link') return fact.who;
  return 'who' in fact ? [fact.who] : [];
}

/**
 * The people a fact is about. A status names no potential lead, but the item and the wamid identify the chat of its
 * message.
 */
export function whoIsConcerned(fact: Fact): readonly Identities[] {
  if (fact.kind !== 'status') return whoIsNamed(fact);
  const phone = decodeWamid(fact.targetExternalId)?.phone;
  return [
    ...(fact.recipient === undefined ? [] : [fact.recipient]),
    ...(phone === undefined ? [] : [{ phone }]),
  ];
}

/**
 * The number of the person whose chat an item is in, where only the id of its message tells it: in a chat with one person the number in a
 * wamid is that person's. An item that names a number itself, or a group, is believed.
 */
export function numberInId(fact: Fact): string | null {
  const id = messageIdOfFact(fact);
  const who = fact.kind === 'status' ? fact.recipient : 'counterpart' in fact ? fact.counterpart : undefined;
  if (id === null || who === undefined || who.phone !== undefined || who.waId !== undefined) return null;
  return numberOfId(id);
}

/**
 * The same of an item that may be a row of a CRM. Its contact is that program's word, and the id is WhatsApp's own: where the two differ,
 * the message is of the person in the id.
 */
export function numberInRow(fact: Fact): string | null {
  return fact.kind === 'message' && fact.origin === 'adopted'
    ? numberOfId(fact.externalId)
    : numberInId(fact);
}

function numberOfId(id: string): string | null {
  const phone = decodeWamid(id)?.phone;
  return phone?.startsWith('+') === true ? phone : null;
}
