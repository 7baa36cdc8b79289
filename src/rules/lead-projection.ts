import type { LeadSource, MessageSource } from '../model/enumerations.js';
import { isStoredPhone } from '../identity/phone.js';
import type { LeadRow } from '../store/tables/leads.js';
import {
  bookStateOf,
  newer,
  type Dated,
  type IdentityEvidence,
  type IdentityNode,
} from './identity-evidence.js';
import { larger, smaller } from './merge-values.js';

/** One name of a person, with its evidence. */
type KnownIdentity = IdentityNode & { evidence: IdentityEvidence };

/** Aggregate facts about a conversation's messages. */
export interface ConversationEvidence {
  firstMessageAt: number | null;
  /** Final source of the first message; at a tie of times the most live one. */
  firstMessageSource: MessageSource | null;
  lastMessageAt: number | null;
}

export type LeadColumns = Omit<LeadRow, 'id'>;

/** The order of sources in a tie of times (rule I6). */
const TIE_ORDER: readonly LeadSource[] = ['live_message', 'history_sync', 'state_sync'];

/**
 * A lead follows from its identities and conversations, in any order. `stored` is the current row: its
 * `direct_creation` and its values without evidence (entered by people or other programs) stay. So does whether it is active
 * and since when it is not, unless the address book says something new (`isListedAnew`): what a person decided must not
 * be undone by an entry that was there before (I5).
 */
export function projectLead(
  identities: readonly KnownIdentity[],
  conversations: readonly ConversationEvidence[],
  stored: LeadColumns | null,
  isListedAnew: boolean,
): LeadColumns {
  const { profileName, username, bookName } = newestNames(identities);
  const bookState = stored === null || isListedAnew ? bookStateOf(identities) : null;
  const earliest = earliestEvidence(identities, conversations);
  const direct = stored?.source === 'direct_creation';
  const firstSeen = identities.reduce<number | null>(
    (seen, { evidence }) => smaller(seen, evidence.firstSeenAt),
    null,
  );
  const seen = earliest?.at ?? firstSeen ?? stored?.firstSeenAt ?? 0;
  // All messages of a lead may belong to another lead (M9); without evidence it is an ordinary contact.
  const bare = firstSeen === null ? (stored?.source ?? 'live_message') : 'live_message';
  return {
    phoneNumber: currentPhone(identities) ?? stored?.phoneNumber ?? null,
    pushName: bookName?.value ?? profileName?.value ?? stored?.pushName ?? null,
    username: username?.value ?? stored?.username ?? null,
    source: direct ? 'direct_creation' : (earliest?.source ?? bare),
    firstSeenAt: direct ? Math.min(stored.firstSeenAt, seen) : seen,
    isActive: bookState === null ? (stored?.isActive ?? true) : bookState.value === 'added',
    deletedAt:
      bookState === null ? (stored?.deletedAt ?? null) : bookState.value === 'removed' ? bookState.at : null,
    lastMessageAt: conversations.reduce<number | null>(
      (last, { lastMessageAt }) => larger(last, lastMessageAt),
      null,
    ),
  };
}

/** The names a person has: the newest of each kind among all identities. The address book's goes before the profile's. */
export function newestNames(
  identities: readonly KnownIdentity[],
): Pick<IdentityEvidence, 'profileName' | 'username' | 'bookName'> {
  let profileName: Dated<string> | null = null;
  let username: Dated<string> | null = null;
  let bookName: Dated<string> | null = null;
  for (const { evidence } of identities) {
    profileName = newer(profileName, evidence.profileName);
    username = newer(username, evidence.username);
    bookName = newer(bookName, evidence.bookName);
  }
  return { profileName, username, bookName };
}

/** The phone the person began to use last; Argentina's form without 9 yields to the one with it (I1). */
function currentPhone(identities: readonly KnownIdentity[]): string | null {
  // Another program may have written anything into a name: what is no phone says nothing about the lead's.
  const phones = identities.filter(({ kind, value }) => kind === 'phone' && isStoredPhone(value));
  const known = new Set(phones.map((phone) => phone.value));
  let best: KnownIdentity | null = null;
  for (const phone of phones) {
    if (phone.value.startsWith('+54') && known.has(`+549${phone.value.slice(3)}`)) continue;
    if (best === null || beginsLater(phone, best)) best = phone;
  }
  return best?.value ?? null;
}

function beginsLater(a: KnownIdentity, b: KnownIdentity): boolean {
  const left = a.evidence.firstSeenAt ?? -Infinity;
  const right = b.evidence.firstSeenAt ?? -Infinity;
  return left === right ? a.value < b.value : left > right;
}

function earliestEvidence(
  identities: readonly { evidence: IdentityEvidence }[],
  conversations: readonly ConversationEvidence[],
): { at: number; source: LeadSource } | null {
  let earliest: { at: number; source: LeadSource } | null = null;
  const offer = (at: number | null, source: LeadSource): void => {
    if (at === null) return;
    const sooner =
      earliest === null ||
      at < earliest.at ||
      (at === earliest.at && TIE_ORDER.indexOf(source) < TIE_ORDER.indexOf(earliest.source));
    if (sooner) earliest = { at, source };
  };
  for (const { firstMessageAt, firstMessageSource } of conversations) {
    offer(firstMessageAt, firstMessageSource === 'history' ? 'history_sync' : 'live_message');
  }
  for (const { evidence } of identities) {
    offer(evidence.bookFirstAt, 'state_sync');
    offer(evidence.liveFirstAt, 'live_message');
  }
  return earliest;
}
